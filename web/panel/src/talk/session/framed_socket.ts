import type { MakeSocket } from "@ocs/protocol";

/**
 * Opens WebSockets in an iframe, for Firefox (the only browser without `navigator.vendor`). It does not cache a page for Back if
 * its window has a WebSocket when a navigation begins, even one that is just being closed. Removing an iframe removes its socket at once.
 */
export function framedSocket(root: ParentNode): MakeSocket {
  let frame: HTMLIFrameElement | undefined;
  return (url) => {
    frame?.remove();
    const mine = (frame = document.createElement("iframe"));
    let Socket = WebSocket;
    mine.hidden = true;
    // Older versions of Firefox load about:blank asynchronously, which would end the socket: there the page's own WebSocket is used.
    mine.onload = () => {
      const inside = mine.contentWindow as Window & typeof globalThis;
      Socket = inside.WebSocket;
      // A page that removes the chat from the document ends the socket without a close event.
      inside.onpagehide = () => socket.onclose!(new CloseEvent("close"));
    };
    root.append(mine);
    const socket = new Socket(url);
    const close = socket.close.bind(socket);
    socket.close = () => {
      close();
      mine.remove();
    };
    return socket;
  };
}
