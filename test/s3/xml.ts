/** Escapes text for an XML element; control characters become references so that CR and LF survive parsing. */
function escapeXml(text: string): string {
  return text.replace(
    /[&<>"'\u0000-\u001f\u007f]/g,
    (c) => `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`,
  );
}

const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#[0-9]+|[a-z]+);/gi, (whole, name: string) => {
    if (/^#x/i.test(name)) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number.parseInt(name.slice(1), 10));
    return named[name] ?? whole;
  });
}

/** One XML element with its text escaped. */
export function element(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** A whole XML document of S3's namespace around content that is already XML. */
export function xmlDocument(root: string, content: string): string {
  const namespace = root === "Error" ? "" : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${content}</${root}>`;
}

/** The inner XML of every element of that name; enough for the two flat request bodies that S3 has. */
export function elements(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"));
  return [...found].map((match) => match[1] ?? "");
}

/** The unescaped text of the first element of that name, or null. */
export function elementText(xml: string, name: string): string | null {
  const inner = elements(xml, name)[0];
  return inner === undefined ? null : unescapeXml(inner);
}

/** The form that dates have in S3's documents. */
export function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}
