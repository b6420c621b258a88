/** The same object with its methods bound to it, so that `const { now } = guest` gives functions that work. */
export function bound<T extends object>(object: T): T {
  for (let type = Object.getPrototypeOf(object); type !== Object.prototype; type = Object.getPrototypeOf(type)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (typeof value !== "function" || name === "constructor" || Object.hasOwn(object, name)) continue;
      Object.defineProperty(object, name, { value: value.bind(object) });
    }
  }
  return object;
}
