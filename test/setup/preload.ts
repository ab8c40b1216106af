import { afterAll } from "bun:test";
import { stopSharedCluster } from "../cluster/shared.ts";

// The tests run real programs: what those print must not depend on the developer's shell.
delete process.env.AWS_CA_BUNDLE;
for (const name of Object.keys(process.env)) {
  if (name.startsWith("RCLONE_") || name.startsWith("SLURM_") || name.startsWith("XFER_"))
    delete process.env[name];
}

afterAll(async () => {
  await stopSharedCluster();
});
