import { importPart } from "./parts.ts";

await importPart(4);
