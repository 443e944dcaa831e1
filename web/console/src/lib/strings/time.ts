// Formats times in the reader's language and time zone. A time in the future (a clock that runs ahead) reads as now.
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const withYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const longDay = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function formatTimeOfDay(at: number): string {
  return clock.format(at);
}

export function formatExact(at: number): string {
  return exact.format(at);
}

/** "on 5 Dec 2026, 04:00". */
export function formatMoment(at: number): string {
  return `on ${moment.format(at)}`;
}

/** "now", "4m", "3h", then a date: for narrow columns. */
export function formatShortAge(at: number, now: number): string {
  const age = now - at;
  if (age < minute) return 'now';
  if (age < hour) return `${Math.floor(age / minute)}m`;
  if (age < day) return `${Math.floor(age / hour)}h`;
  if (age < 7 * day) return `${Math.floor(age / day)}d`;
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? dayAndMonth.format(at) : withYear.format(at);
}

/** "just now", "4 min ago", "yesterday". */
export function formatRelative(at: number, now: number): string {
  const age = now - at;
  if (age < 5_000) return 'just now';
  if (age < minute) return relative.format(-Math.floor(age / 1000), 'second');
  if (age < hour) return relative.format(-Math.floor(age / minute), 'minute');
  if (age < day) return relative.format(-Math.floor(age / hour), 'hour');
  if (age < 30 * day) return relative.format(-Math.floor(age / day), 'day');
  return withYear.format(at);
}

export function formatDay(at: number, now: number): string {
  const days = Math.round((midnight(now) - midnight(at)) / day);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 300 ? longDay.format(at) : withYear.format(at);
}

export function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** The visitor's local time, or null when the time zone is unknown. */
export function formatLocalTime(timezone: string | null, now: number): string | null {
  if (!timezone) return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone, weekday: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(now);
  } catch {
    return null;
  }
}

export function languageName(locale: string | null): string | null {
  if (!locale) return null;
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(locale) ?? locale;
  } catch {
    return locale;
  }
}
