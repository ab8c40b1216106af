/** A source text in which only code is left, and its regular expressions. */
export interface CodeMask {
  /** As long as the text: strings, comments, regular expressions and types by declaration are blanks. */
  code: string;
  expressions: { at: number; source: string }[];
}

/** What is no code, at its first character; templates keep the code between their braces. */
const tokens = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[`/{}]/g;

/** After these a slash begins a regular expression; anywhere else it divides. */
const beforeExpression = /(?:^|[([,;=:!&|?{}+]|=>|\breturn|\btypeof)\s*$/;
const expression = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const templateText = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*/y;

/** Blanks out what is no code. */
export function codeMask(text: string): CodeMask {
  const expressions: CodeMask["expressions"] = [];
  const code = text.split("");
  const blank = (from: number, to: number) => {
    for (let at = from; at < to; at++) if (code[at] !== "\n") code[at] = " ";
  };
  /** Of each open brace whether the text of a template follows its end. */
  const braces: boolean[] = [];
  const skipTemplate = (from: number): number => {
    templateText.lastIndex = from;
    const end = from + (templateText.exec(text)?.[0].length ?? 0);
    blank(from, end);
    if (text[end] === "`") return end + 1;
    braces.push(true);
    return end + 2;
  };
  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const { 0: token, index } = match;
    const end = index + token.length;
    if (token === "{") braces.push(false);
    else if (token === "}") {
      if (braces.pop()) tokens.lastIndex = skipTemplate(end);
    } else if (token === "`") tokens.lastIndex = skipTemplate(end);
    else if (token !== "/") blank(index, end);
    else if (beforeExpression.test(text.slice(Math.max(0, index - 40), index))) {
      expression.lastIndex = index;
      const source = expression.exec(text)?.[0];
      if (source === undefined) continue;
      expressions.push({ at: index, source });
      blank(index, index + source.length);
      tokens.lastIndex = index + source.length;
    }
  }
  tokens.lastIndex = 0;
  return { code: withoutTypes(code.join("")), expressions };
}

/** Interfaces, types by name and imports do nothing when the program runs. */
function withoutTypes(code: string): string {
  const declarations = /^(?:export )?(?:interface [\s\S]*?^\}|type [\s\S]*?;$|import [\s\S]*?;$)/gm;
  return code.replace(declarations, (text) => text.replace(/[^\n]/g, " "));
}
