import { type Located, nameOf } from "./program_syntax.ts";

/** Why a program cannot have a node of its syntax tree, null when it can. */
export function refusalOf(node: Located, parent: Located | null): string | null {
  const isAsync = node.async === true && /Function|Method/.test(node.type);
  if (isAsync || node.type === "AwaitExpression" || node.await === true || node.kind === "await using") {
    return "async and await are not for guest programs; wait with yield* for a call of the library";
  }
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration": {
      const hasAttributes = (node.attributes as readonly unknown[] | undefined ?? []).length > 0;
      return hasAttributes ? "found import attributes, wanted an import of a program's module alone" : null;
    }
    case "ImportExpression":
    case "Import":
      return "import() is not for guest programs; wanted an import declaration";
    case "TSImportEqualsDeclaration":
    case "TSExportAssignment":
      return "wanted an import or export declaration of ECMAScript";
    case "MetaProperty":
      return (node.meta as Located).name === "import" ? "import.meta is not there in a guest program" : null;
    case "Identifier":
      return ofName(node, parent!);
    case "CallExpression":
    case "OptionalCallExpression":
      return ofCall(node);
    default:
      return null;
  }
}

function ofName(node: Located, parent: Located): string | null {
  const { property, key, computed } = parent;
  const isProperty = (property === node || key === node) && computed !== true;
  if (isProperty) {
    if (node.name !== "fromAsync") return null;
    return "fromAsync is not for guest programs; wait with yield* for a call of the library";
  }
  const isCalled = parent.callee === node; // `Function` is also what functions are instances of
  if (node.name !== "eval" && !(node.name === "Function" && isCalled)) return null;
  return `${node.name} is not for guest programs: its text could not be watched`;
}

/** Methods that go by the machine's language where the program names none. */
function ofCall(node: Located): string | null {
  const callee = node.callee as Located;
  const name = nameOf(callee) ?? "";
  const isCompare = name === "localeCompare";
  if (callee.type === "Identifier" || !(isCompare || /^toLocale[A-Z]\w*$/.test(name))) return null;
  if ((node.arguments as Located[]).length > (isCompare ? 1 : 0)) return null;
  const example = isCompare ? 'a.localeCompare(b, "en")' : `${name}("en")`;
  return `${name} goes by the machine's language; wanted one by its name, such as ${example}`;
}
