/** Formats times and days in the visitor's language and time zone. */
export class Dates {
  readonly time: (at: number) => string;
  readonly full: (at: number) => string;
  readonly #day: Intl.DateTimeFormat;
  readonly #dayAndYear: Intl.DateTimeFormat;
  readonly #relative: Intl.RelativeTimeFormat;

  constructor(private readonly locale: string) {
    this.time = namer(new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }));
    this.full = namer(new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" }));
    this.#day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
    this.#dayAndYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  }

  day(at: number, now = Date.now()): string {
    const midnight = (moment: number) => new Date(moment).setHours(0, 0, 0, 0);
    const days = Math.round((midnight(at) - midnight(now)) / 86_400_000);
    // With a server clock ahead of this one, do not show "tomorrow".
    if (days >= 0 || days === -1) return this.#capital(this.#relative.format(Math.min(0, days), "day"));
    return this.#capital((new Date(at).getFullYear() === new Date(now).getFullYear() ? this.#day : this.#dayAndYear).format(at));
  }

  #capital(text: string): string {
    return text.charAt(0).toLocaleUpperCase(this.locale) + text.slice(1);
  }
}

/** Caches the last formatted minute: most messages are from the same minute as the previous one. */
function namer(format: Intl.DateTimeFormat): (at: number) => string {
  let named = NaN;
  let name = "";
  return (at) => {
    const minute = Math.floor(at / 60_000);
    if (minute !== named) name = format.format(at);
    named = minute;
    return name;
  };
}
