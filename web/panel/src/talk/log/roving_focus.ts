/** Roving tabindex: arrow keys, Home and End move the focus between messages; the list is one Tab stop. */
export function moveFocus(event: KeyboardEvent, log: HTMLElement): void {
  const rows = [...log.querySelectorAll<HTMLElement>("[data-key]")];
  const current = rows.findIndex((row) => row.contains(event.target as Node));
  if (current < 0) return;
  const moves: Record<string, number> = { ArrowUp: current - 1, ArrowDown: current + 1, Home: 0, End: rows.length - 1 };
  const next = rows[moves[event.key] ?? -1];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
