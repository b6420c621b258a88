import { formatSize, parseSize, QuantityError } from "../../base/quantity.ts";
import type { Input } from "../../cluster/input.ts";
import type { Setting } from "../settings.ts";
import { type Entry, type Field, MenuError, type Values } from "./menu_form.ts";

const SIZES = ["1 B", "64 B", "1 KiB", "4 KiB", "16 KiB", "64 KiB", "256 KiB", "512 KiB", "1 MiB", "4 MiB"] as const;
const COALESCE_US = ["0", "10", "25", "50", "75", "100", "200", "500"] as const;
/** Guests that the menu offers to go to, where there are not more already; `any key` takes any number. */
const MOST_GUESTS = 40;
const COSTS = "costs.";
const DOM0 = /^hosts\[\d+\]\.dom0_vcpus$/;

/** What a setting's new value may be. */
type ValueField = (setting: Setting) => Pick<Field, "initial" | "choices" | "hint">;

/** The group "Cluster": what `--set` can do, the commonest by name. Without a setting there is no entry for it. */
export function settingEntries(settings: readonly Setting[]): Entry[] {
  const one = (id: string, title: string, key: string, label: string, value: ValueField) => {
    const setting = settings.find((setting) => setting.key === key);
    return setting === undefined ? [] : [settingEntry(id, title, label, setting, value)];
  };
  return [
    ...one("guests", "guests", "guests", "guests", ({ value }) => ({
      initial: String(Number(value) < MOST_GUESTS ? Number(value) + 1 : Number(value) - 1),
      choices: Array.from({ length: Math.max(MOST_GUESTS, Number(value)) }, (_, i) => String(i + 1)),
      hint: "added or removed at the end",
    })),
    ...one("path", "path", "path", "path", ({ value, choices = [] }) => ({
      initial: choices[(choices.indexOf(value) + 1) % choices.length] ?? value,
      choices,
    })),
    ...one("size", "message size", "workload.size", "size", ({ value }) => ({
      initial: doubled(value),
      choices: SIZES,
    })),
    ...one("coalesce", "interrupt coalescing", "costs.coalesceUs", "time", ({ value, unit }) => ({
      initial: Number(value) === 0 ? "75" : "0",
      choices: COALESCE_US,
      hint: unit,
    })),
    ...one("polling", "polling", "mechanisms.polling", "polling", ({ value, choices = [] }) => ({
      initial: value === "true" || value === "" ? "false" : "true",
      choices,
    })),
    ...choosing("dom0", "dom0 VCPUs", "host", settings.filter(({ key }) => DOM0.test(key)), {
      show: ({ help }) => help.replace(/^.* /, ""),
      value: ({ value }) => ({
        initial: String(Math.max(1, Number(value) >> 1)),
        choices: Array.from({ length: Math.max(24, Number(value)) }, (_, i) => String(i + 1)),
      }),
    }),
    ...choosing("cost", "any cost", "cost", settings.filter(({ key }) => key.startsWith(COSTS)), {
      show: ({ key }) => key.slice(COSTS.length),
      value: factors,
    }),
    ...anyKey(settings),
  ];
}

function settingEntry(id: string, title: string, label: string, setting: Setting, value: ValueField): Entry {
  return {
    ...{ id, group: "Cluster", title, note: presentText(setting) },
    fields: () => [{ key: "value", label, ...value(setting) }],
    input: ({ value }) => assign(setting, value),
    words: ({ value }) => changeWords(setting, value),
  };
}

/** An entry that first chooses one of several settings. */
function choosing(
  id: string,
  title: string,
  label: string,
  settings: readonly Setting[],
  by: {
    readonly show: (setting: Setting) => string;
    readonly value: (setting: Setting) => Pick<Field, "initial" | "choices">;
  },
): Entry[] {
  if (settings.length === 0) return [];
  const names = settings.map(by.show);
  const chosen = (values: Values) => settings[Math.max(0, names.indexOf(values.name))];
  const first = Math.max(0, names.indexOf("hypercall"));
  return [{
    ...{ id, group: "Cluster", title },
    note: settings.length < 4
      ? settings.map((one) => `${by.show(one)} ${one.value}`).join(", ")
      : `one of ${settings.length}`,
    fields: (values) => {
      const setting = chosen({ name: names[first], ...values });
      return [
        { key: "name", label, initial: names[first], choices: names, isStrict: true, leads: true },
        { key: "value", label: "value", ...by.value(setting), hint: `${setting.unit} (now ${presentText(setting)})` },
      ];
    },
    input: (values) => assign(chosen(values), values.value),
    words: (values) => changeWords(chosen(values), values.value),
  }];
}

/** Whatever else a scenario file can say; the run refuses what it cannot change. */
function anyKey(settings: readonly Setting[]): Entry[] {
  const others = settings.filter(({ key }) => !key.startsWith(COSTS));
  if (others.length === 0) return [];
  const chosen = (values: Values) => settings.find(({ key }) => key === values.key);
  const first = others.find(({ key }) => key === "link.loss") ?? others[0];
  return [{
    ...{ id: "key", group: "Cluster", title: "any key", note: "of a scenario file, as --set" },
    fields: (values) => {
      const setting = chosen({ key: first.key, ...values });
      const choices = setting?.choices ?? [];
      const initial = choices.find((choice) => choice !== setting?.value) ?? otherThan(setting?.value ?? "");
      const hint = setting === undefined ? "" : `(now ${presentText(setting)}) ${setting.help}`;
      return [
        { key: "key", label: "key", initial: first.key, choices: others.map(({ key }) => key), leads: true },
        { key: "value", label: "value", initial, choices, hint },
      ];
    },
    input: (values) => assign(chosen(values) ?? { ...NEW, key: values.key }, values.value),
    words: (values) => changeWords(chosen(values) ?? { ...NEW, key: values.key }, values.value),
  }];
}

const NEW: Setting = { key: "", value: "", unit: "", help: "" };

function assign({ key, value: present }: Setting, value: string): Input {
  if (!/^[A-Za-z_][\w.[\]-]*$/.test(key)) {
    throw new MenuError(`found ${JSON.stringify(key)}, wanted a key such as workload.size`);
  }
  const text = value.trim();
  if (text === "") throw new MenuError(`${key}: wanted a value`);
  if (text === present) throw new MenuError(`${key} is ${present} already`);
  return { kind: "set", assignments: [`${key}=${text}`] };
}

function changeWords({ key, value: present, unit, help }: Setting, value: string): string {
  const instead = present === "" ? "" : ` instead of ${present}${unit && ` ${unit}`}`;
  const about = help === "" ? "" : ` (${help})`;
  return `${key}${about} is ${value}${unit && ` ${unit}`} from now on${instead}.${restartWords(key)}`;
}

/** What of a scenario is no part of the cluster (see `clusterOf` of cluster_change.ts). */
const NOT_OF_CLUSTER = /^(name|title|description|thresholds|faults)\b/;

/** What a change costs, which not everybody expects. */
function restartWords(key: string): string {
  return NOT_OF_CLUSTER.test(key) ? "" : " The cluster is built anew: all programs end and start again.";
}

/** Its value with its unit. */
export function presentText({ value, unit }: Setting): string {
  return value === "" ? "the path's own" : `${value}${unit && ` ${unit}`}`;
}

/** A fraction that is another one; what is no fraction stays, to be edited. */
function otherThan(value: string): string {
  return value.endsWith("%") ? value === "0 %" ? "1 %" : "0 %" : value;
}

/** Twice a size; what is no size stays as it is. */
function doubled(size: string): string {
  try {
    return formatSize(2 * parseSize(size));
  } catch (error) {
    if (error instanceof QuantityError) return size;
    throw error;
  }
}

/** Half and double, and so on; the default is double. */
function factors({ value }: Setting): Pick<Field, "initial" | "choices"> {
  const number = Number(value);
  if (number === 0) return { initial: "100", choices: ["0", "1", "10", "100", "1000"] };
  const choices = [0, 0.1, 0.25, 0.5, 1, 2, 4, 10, 100].map((factor) =>
    String(Number((number * factor).toPrecision(6)))
  );
  return { initial: choices[5], choices };
}
