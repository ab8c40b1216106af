import { group } from "../cli/command.ts";

export default group(
  {
    name: "xfer cluster",
    description: "Keeps what is known of clusters, and looks at how they are",
    details: [
      "A profile is a file in the folder xfer/clusters of XDG_CONFIG_HOME (~/.config), for this user alone. It holds no " +
        "secret. Commands with --cluster take from it what no flag says.",
    ],
    examples: [
      {
        says: "Name a cluster",
        line: "xfer cluster add weka --host me@login.example --rclone-config '~/.config/rclone/rclone.conf' --image /shared/rclone.sqsh",
      },
      { says: "See which one has room", line: "xfer cluster probe" },
    ],
  },
  {
    add: () => import("./add.ts"),
    list: () => import("./list.ts"),
    show: () => import("./show.ts"),
    edit: () => import("./edit.ts"),
    remove: () => import("./remove.ts"),
    probe: () => import("./probe.ts"),
    clean: () => import("./clean.ts"),
  },
);
