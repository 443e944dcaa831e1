/** What grouping needs to know of a message. */
export type Grouped = { key: string; sender: string; at: number };

export type Row<M> = {
  key: string;
  message: M;
  /** Set where a new day begins: the moment to name it after. */
  day: number | null;
  /** First and last of a run of one sender. */
  first: boolean;
  last: boolean;
};

const RUN_MS = 5 * 60_000;

/**
 * Rows for a list of messages: runs of one sender within five minutes, days by the reader's own zone.
 * Rows that did not change are the same objects as in `before`, so that a list draws only what is new.
 */
export function rowsOf<M extends Grouped>(messages: readonly M[], dayOf: (at: number) => string, before: readonly Row<M>[] = []): Row<M>[] {
  let byKey: Map<string, Row<M>> | undefined;
  const known = (key: string) => (byKey ??= new Map(before.map((row) => [row.key, row]))).get(key);
  const isAsBefore = (index: number) => before[index]?.message === messages[index];
  const sameDay = (a: M, b: M) => dayOf(a.at) === dayOf(b.at);
  const joins = (index: number): boolean => {
    const message = messages[index];
    const previous = messages[index - 1];
    if (message === undefined || previous === undefined) return false;
    return previous.sender === message.sender && Math.abs(message.at - previous.at) < RUN_MS && sameDay(previous, message);
  };
  return messages.map((message, index) => {
    // What a row looks like depends on the message, the one above and the one below.
    if (isAsBefore(index - 1) && isAsBefore(index) && isAsBefore(index + 1)) return before[index]!;
    const row: Row<M> = {
      key: message.key,
      message,
      day: index === 0 || !sameDay(messages[index - 1]!, message) ? message.at : null,
      first: !joins(index),
      last: !joins(index + 1),
    };
    const old = known(row.key);
    const same = old !== undefined && old.message === message && old.day === row.day && old.first === row.first && old.last === row.last;
    return same ? old : row;
  });
}

/** Every zone's days begin at a whole quarter of an hour. */
const QUARTER_MS = 15 * 60_000;

/**
 * Names a day by its reader's zone. The zone is read at each call of the maker: people travel. Formatting is what a
 * long list would spend its time on, so a quarter of an hour is named once.
 */
export function dayNamer(zone?: string): (at: number) => string {
  const format = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone });
  const named = new Map<number, string>();
  return (at) => {
    const quarter = Math.floor(at / QUARTER_MS);
    let day = named.get(quarter);
    if (day === undefined) named.set(quarter, (day = format.format(at)));
    return day;
  };
}
