/** The fields of a message that grouping needs. */
export type Groupable = { key: string; sender: string; at: number };

export type Row<M> = {
  key: string;
  message: M;
  /** On the first row of a day: a time within that day, in milliseconds. Otherwise null. */
  day: number | null;
  /** First and last row of a run of messages by one sender. */
  first: boolean;
  last: boolean;
};

const RUN_MS = 5 * 60_000;

/** The messages that each list of rows was made from: comparing a thousand rows takes longer than making the one that is new. */
const sources = new WeakMap<readonly Row<unknown>[], readonly unknown[]>();

/**
 * Groups messages into rows: runs of one sender within five minutes, split at midnight in the reader's time zone.
 * Unchanged rows are the same objects as in `before`, so that a list renders only what is new.
 */
export function groupIntoRows<M extends Groupable>(messages: readonly M[], dayOf: (at: number) => string, before: readonly Row<M>[] = []): readonly Row<M>[] {
  const source = sources.get(before) ?? [];
  let same = 0;
  while (same < messages.length && messages[same] === source[same]) same += 1;
  if (same === messages.length && same === before.length) return before;
  const sameDay = (a: M, b: M) => dayOf(a.at) === dayOf(b.at);
  const joins = (index: number): boolean => {
    const message = messages[index];
    const previous = messages[index - 1];
    if (message === undefined || previous === undefined) return false;
    return previous.sender === message.sender && Math.abs(message.at - previous.at) < RUN_MS && sameDay(previous, message);
  };
  // A row depends on its message and on both neighbours.
  const kept = before.slice(0, Math.max(0, same - 1));
  const known = new Map(before.slice(kept.length).map((row) => [row.key, row]));
  const others = messages.slice(kept.length).map((message, at) => {
    const index = kept.length + at;
    const row: Row<M> = {
      key: message.key,
      message,
      day: index === 0 || !sameDay(messages[index - 1]!, message) ? message.at : null,
      first: !joins(index),
      last: !joins(index + 1),
    };
    const old = known.get(row.key);
    const unchanged = old !== undefined && old.message === message && old.day === row.day && old.first === row.first && old.last === row.last;
    return unchanged ? old : row;
  });
  const rows = [...kept, ...others];
  sources.set(rows, messages);
  return rows;
}

/** In every time zone, midnight falls on a whole quarter of an hour. */
const QUARTER_MS = 15 * 60_000;

/**
 * Returns a function that maps a time to a key of its day in the reader's time zone. The zone is read when this is
 * called: people travel. Formatting would dominate the cost of a long list, so each quarter of an hour is formatted once.
 */
export function createDayKey(zone?: string): (at: number) => string {
  const format = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone });
  const named = new Map<number, string>();
  return (at) => {
    const quarter = Math.floor(at / QUARTER_MS);
    let day = named.get(quarter);
    if (day === undefined) named.set(quarter, (day = format.format(at)));
    return day;
  };
}
