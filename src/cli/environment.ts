/*
 * The first import of main.ts. Several packages read environment variables while they load, and Deno would stop the
 * program with a permission prompt for each. After this import `process.env` answers for variables that may be read
 * already, and has no others: a plain `deno run main.ts` starts without a question.
 */
import "../tui/env_shim.ts";
