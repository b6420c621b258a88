import assert from "node:assert/strict";
import { bytes } from "../../src/report/number_text.ts";

Deno.test("bytes are in the unit that loses nothing while that is a short number, then in MB and GB", () => {
  const shown = [0, 606336, 126000, 524288, 9999000, 1234567, 838600000, 2 ** 40, 12345678000].map(bytes);
  assert.deepEqual(shown, [
    ...["0 B", "606336 B", "126 KB", "512 KiB", "9999 KB"],
    ...["1.23 MB", "838.6 MB", "1024 GiB", "12.35 GB"],
  ]);
});
