/** A node of a program's syntax tree, as the parser makes it. */
export interface Located {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
  readonly [key: string]: unknown;
}

/** What a call calls: its name, or the one after the last dot; null when that is computed. */
export function nameOf(callee: Located): string | null {
  if (callee.type === "Identifier") return String(callee.name);
  if (!/^(Optional)?MemberExpression$/.test(callee.type) || callee.computed === true) return null;
  return String((callee.property as Located).name);
}

/** The nodes below a node, in the order of the text. */
export function childrenOf(node: Located): Located[] {
  const children: Located[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === "loc" || key.endsWith("Comments") || key === "extra") continue;
    for (const inner of Array.isArray(value) ? value : [value]) {
      if (typeof inner === "object" && inner !== null && typeof inner.type === "string" && "start" in inner) {
        children.push(inner as Located);
      }
    }
  }
  return children.sort((x, y) => x.start - y.start);
}
