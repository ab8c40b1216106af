import { group } from "../cli/command.ts";

export default group(
  {
    name: "xfer rclone-config",
    description: "Looks at the rclone.conf of a cluster, and sends remotes there",
    examples: [
      {
        says: "Whether a run has what it needs",
        line: "xfer rclone-config check --cluster weka --run-dir run",
      },
      {
        says: "Send two remotes",
        line: "xfer rclone-config deploy --cluster weka --remotes s3src,s3dst --yes",
      },
    ],
  },
  { check: () => import("./check.ts"), deploy: () => import("./deploy.ts") },
);
