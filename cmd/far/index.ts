import { group } from "../cli/command.ts";

export default group(
  {
    name: "xfer far",
    description: "What xfer on a workstation calls at a cluster",
    isInternal: true,
  },
  {
    attach: () => import("./attach.ts"),
    stop: () => import("./stop.ts"),
    forget: () => import("./forget.ts"),
    plan: () => import("./plan.ts"),
    receive: () => import("./receive.ts"),
    list: () => import("./list.ts"),
    send: () => import("./send.ts"),
  },
);
