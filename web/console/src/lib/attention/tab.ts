// Shows unread chats in the tab's title and favicon.
let original: string | null = null;

export function tabTitle(unread: number, page: string): string {
  return unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${page}` : page;
}

/** Sets the favicon: the logo, with a red dot when there are unread messages. */
export function drawFavicon(unread: boolean): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  if (!link) return;
  original ??= link.href;
  if (!unread) {
    link.href = original;
    link.type = 'image/svg+xml';
    return;
  }
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(2, 2);
  pen.fillStyle = '#2563eb';
  pen.beginPath();
  pen.roundRect(2, 3, 28, 21, 6);
  pen.moveTo(7, 22);
  pen.lineTo(7, 30);
  pen.lineTo(16, 23);
  pen.fill();
  pen.fillStyle = '#fff';
  for (const x of [10, 16, 22]) disc(pen, x, 13.5, 2);
  disc(pen, 24.5, 7.5, 7.5);
  pen.fillStyle = '#d92d20';
  disc(pen, 24.5, 7.5, 6);
  link.type = 'image/png';
  link.href = canvas.toDataURL('image/png');
}

function disc(pen: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, Math.PI * 2);
  pen.fill();
}
