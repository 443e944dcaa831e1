/**
 * What old libraries replace (Prototype, MooTools), as the language has it. The build puts these in wherever the panel or
 * its framework says `Array.from` or `JSON.stringify`.
 */
const { stringify } = JSON;

/** `Array.from`: of theirs a set comes out empty, or as its only entry. */
export function arrayFrom<T, R = T>(items: Iterable<T> | ArrayLike<T>, each = (item: T, _at: number) => item as unknown as R): R[] {
  return (Symbol.iterator in items ? [...items] : Array.of.apply<null, T[], T[]>(null, items as T[])).map(each);
}

/** `JSON.stringify` of plain data, which asks nobody's `toJSON`: theirs makes a string of every list. */
export function toJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item)).join()}]`;
  if (typeof value !== "object" || value === null) return stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, held]) => held !== undefined);
  return `{${fields.map(([name, held]) => `${stringify(name)}:${toJson(held)}`).join()}}`;
}
