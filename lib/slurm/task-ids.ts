/** Task ids, in ascending order, as --array takes them: `3,17,40-44`. */
export function formatTaskIds(ids: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < ids.length; ) {
    const first = ids[i] ?? 0;
    let length = 1;
    while (ids[i + length] === first + length) length++;
    parts.push(length === 1 ? `${first}` : `${first}-${first + length - 1}`);
    i += length;
  }
  return parts.join(",");
}
