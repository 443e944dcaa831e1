// A website with its own origin and pages that contain the snippet.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** The snippet as documented. */
export const snippet = (url, key) => `<script>
window.OCS = { externalId: 'user_12345', nickname: 'John Doe' };   // optional
</script>
<script>(function(){
  var s = document.createElement('script');
  s.src = '${url}/api/widget.js?key=${key}';
  s.async = true; document.head.appendChild(s);
})();</script>`;

/** The snippet without the optional line, or with other options. */
export const snippetWith = (url, key, options) => {
  const loader = snippet(url, key).split('\n</script>\n')[1];
  return options === undefined ? loader : `<script>window.OCS = ${JSON.stringify(options)};</script>\n${loader}`;
};

export const oneTag = (url, key, nonce) => `<script async src="${url}/api/widget.js?key=${key}" nonce="${nonce}"></script>`;

const CONTENT = `<h1>Northwind Shop</h1>
<p>Lamps, chairs and tables. <a href="/elsewhere">Another page</a></p>
<p><label>Search <input name="search"></label> <button>Go</button></p>`;

export class Website {
  #server;
  #pages = new Map();
  /** Content-Security-Policy violation reports. */
  reports = [];

  static async open() {
    const site = new Website();
    site.#server = createServer((request, response) => site.#answer(request, response));
    site.#server.listen(0, 'localhost');
    await once(site.#server, 'listening');
    // A host name other than the server's makes it a different site for cookies, storage and policies.
    site.url = `http://localhost:${site.#server.address().port}`;
    return site;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Adds a page and returns its URL. */
  put(path, head, { headers = {}, body = CONTENT, lang = 'en', title = 'Northwind Shop' } = {}) {
    const html = `<!doctype html>\n<html lang="${lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
${head}
</head><body>${body}</body></html>`;
    return this.serve(path, html, { headers });
  }

  /** Serves a file unchanged: a library or a complete page. */
  serve(path, text, { headers = {}, type = 'text/html' } = {}) {
    this.#pages.set(path, { text, headers: { 'Content-Type': `${type}; charset=utf-8`, ...headers } });
    return `${this.url}${path}`;
  }

  async #answer(request, response) {
    const path = request.url.split('?')[0];
    if (path === '/report') {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      this.reports.push(Buffer.concat(pieces).toString());
      response.writeHead(204).end();
      return;
    }
    if (path === '/favicon.ico') return response.writeHead(204).end();
    const page = this.#pages.get(path);
    if (!page) return response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such page');
    response.writeHead(200, { 'Cache-Control': 'no-cache', ...page.headers }).end(page.text);
  }
}
