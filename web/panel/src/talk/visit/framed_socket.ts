import type { MakeSocket } from "@ocs/protocol";

/**
 * For Firefox (the one browser without `navigator.vendor`), which caches no page for Back if its window has a WebSocket when a
 * navigation begins, even one that is closed at that moment. An iframe takes its socket away at once.
 */
export function framedSocket(root: ParentNode): MakeSocket {
  let frame: HTMLIFrameElement | undefined;
  return (url) => {
    frame?.remove();
    const mine = (frame = document.createElement("iframe"));
    let Socket = WebSocket;
    mine.hidden = true;
    // Before Firefox loaded about:blank at once, the load would end the socket: there it is the page's.
    mine.onload = () => {
      const inside = mine.contentWindow as Window & typeof globalThis;
      Socket = inside.WebSocket;
      // A page that takes the chat out of the document ends the socket, without an event of the socket.
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
