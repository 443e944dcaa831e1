/** The number of unread messages on the launcher: seen on its corner, and said with its name. */
export function badgeOn(launcher: HTMLButtonElement, unread: (count: number) => string): (count: number) => void {
  const label = launcher.getAttribute("aria-label");
  const badge = document.createElement("span");
  badge.className = "n";
  launcher.append(badge);
  return (count) => {
    // The space keeps what is seen, "Chat 1", a part of what is said.
    badge.textContent = count > 0 ? ` ${count > 99 ? "99+" : count}` : "";
    launcher.setAttribute("aria-label", count > 0 ? `${label}, ${unread(count)}` : `${label}`);
  };
}
