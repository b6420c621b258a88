import config from "../../deno.json" with { type: "json" };

/** Version of mxtop, as results carry it. */
export const VERSION: string = config.version;
