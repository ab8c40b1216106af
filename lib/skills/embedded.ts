import analyze from "../../.claude/skills/xfer-manifest-analyze/SKILL.md" with { type: "text" };
import build from "../../.claude/skills/xfer-manifest-build/SKILL.md" with { type: "text" };
import combine from "../../.claude/skills/xfer-manifest-combine/SKILL.md" with { type: "text" };
import rebase from "../../.claude/skills/xfer-manifest-rebase/SKILL.md" with { type: "text" };
import shard from "../../.claude/skills/xfer-manifest-shard/SKILL.md" with { type: "text" };
import oneshot from "../../.claude/skills/xfer-oneshot/SKILL.md" with { type: "text" };
import rcloneConfig from "../../.claude/skills/xfer-rclone-config/SKILL.md" with { type: "text" };
import render from "../../.claude/skills/xfer-slurm-render/SKILL.md" with { type: "text" };
import submit from "../../.claude/skills/xfer-slurm-submit/SKILL.md" with { type: "text" };
import { frontMatterOf } from "./front-matter.ts";

/** A skill for Claude Code: what tells when it applies, and its whole file. */
export interface Skill {
  readonly name: string;
  readonly description: string;
  readonly text: string;
}

const texts = [oneshot, rcloneConfig, build, combine, analyze, rebase, shard, render, submit];

/** All skills that this binary holds, in the order in which a transfer needs them. */
export const skills: readonly Skill[] = texts.map((text) => ({ ...frontMatterOf(text), text }));
