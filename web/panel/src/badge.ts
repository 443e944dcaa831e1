/** Shows the unread count on the launcher: as a badge, and in its accessible name. Returns a function that updates it. */
export function badgeOn(launcher: HTMLButtonElement, unread: (count: number) => string): (count: number) => void {
  const label = launcher.getAttribute("aria-label");
  const badge = document.createElement("span");
  badge.className = "n";
  launcher.append(badge);
  return (count) => {
    // The space keeps the visible text, "Chat 1", a part of the accessible name.
    badge.textContent = count > 0 ? ` ${count > 99 ? "99+" : count}` : "";
    launcher.setAttribute("aria-label", count > 0 ? `${label}, ${unread(count)}` : `${label}`);
  };
}
