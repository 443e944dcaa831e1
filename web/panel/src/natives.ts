/**
 * Standard versions of built-ins that old libraries (Prototype, MooTools) replace. The build substitutes them wherever the
 * panel or Svelte calls `Array.from` or `JSON.stringify`.
 */
const { stringify } = JSON;

/** `Array.from`: the libraries' versions turn a Set into an empty array, or into its only entry. */
export function arrayFrom<T, R = T>(items: Iterable<T> | ArrayLike<T>, each = (item: T, _at: number) => item as unknown as R): R[] {
  return (Symbol.iterator in items ? [...items] : Array.of.apply<null, T[], T[]>(null, items as T[])).map(each);
}

/** `JSON.stringify` of plain data that ignores `toJSON`: the libraries' `toJSON` turns every array into a string. */
export function toJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item)).join()}]`;
  if (typeof value !== "object" || value === null) return stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, held]) => held !== undefined);
  return `{${fields.map(([name, held]) => `${stringify(name)}:${toJson(held)}`).join()}}`;
}
