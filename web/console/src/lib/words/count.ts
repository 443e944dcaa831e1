const plural = new Intl.PluralRules('en');
const digits = new Intl.NumberFormat('en');

/** "1 message", "12,345 messages". `several`: the plural, where it is not the singular and an s. */
export function counted(many: number, one: string, several = `${one}s`): string {
  return `${digits.format(many)} ${plural.select(many) === 'one' ? one : several}`;
}
