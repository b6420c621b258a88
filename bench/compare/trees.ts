import { fileURLToPath } from "node:url";

/** A version of the program in a folder. */
export interface Tree {
  /** As it was asked for, with the commit that it is. */
  readonly title: string;
  readonly folder: string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A folder with the program in it is taken as it is; anything else is a git revision, unpacked below `into`. */
export async function openTree(name: string, into: string): Promise<Tree> {
  if (exists(`${name}/main.ts`)) return { title: name, folder: Deno.realPathSync(name) };
  // No such revision, or no repository, is no commit either way.
  const commit = (await git(["rev-parse", "--verify", "--quiet", `${name}^{commit}`]).catch(() => "")).trim();
  if (commit === "") throw new Error(`${name}: neither a folder with main.ts in it nor a revision of ${ROOT}`);
  const folder = `${into}/${commit}`;
  if (!exists(folder)) {
    Deno.mkdirSync(folder);
    await git(["archive", "--format=tar", `--output=${folder}.tar`, commit]);
    await run("tar", ["-x", "-f", `${folder}.tar`, "-C", folder]);
    Deno.removeSync(`${folder}.tar`);
  }
  return { title: `${name} (${commit.slice(0, 10)})`, folder };
}

const git = (args: readonly string[]) => run("git", args);

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: ROOT }).output();
  if (!success && stderr.length > 0) throw new Error(`${program}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

/** Whether there is such a file or folder. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
