const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/**
 * Text as XML and HTML take it, between tags and in quoted attributes: markup as entities; characters that XML 1.0 has no
 * way to say, unpaired surrogates among them, are dropped.
 */
export function xmlText(text: string): string {
  // deno-lint-ignore no-control-regex
  const sayable = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "");
  return sayable.replace(/[&<>"']/g, (mark) => ENTITIES[mark]);
}
