/**
 * Whether what is written to a stream is in color:
 *
 *   --color         terminal   NO_COLOR, or TERM=dumb   in color
 *   always          any        any                      yes
 *   never           any        any                      no
 *   auto, or none   no         any                      no
 *   auto, or none   yes        set                      no
 *   auto, or none   yes        not set                  yes
 */
export function isColored(
  mode: string | undefined,
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (mode === "always" || mode === "never") return mode === "always";
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}
