const rules = new Intl.PluralRules('en');
const digits = new Intl.NumberFormat('en');

/** "1 message", "12,345 messages". `plural` is needed where it is not the singular plus s. */
export function pluralize(count: number, singular: string, plural = `${singular}s`): string {
  return `${digits.format(count)} ${rules.select(count) === 'one' ? singular : plural}`;
}
