/** Parses a text/event-stream into the payloads of its `data:` fields. Chunks may end anywhere. */
export class SseParser {
  #rest = "";
  #data: string[] = [];

  push(chunk: string): string[] {
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const payloads: string[] = [];
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) payloads.push(this.#data.join("\n"));
        this.#data = [];
      } else if (line.startsWith("data:")) {
        this.#data.push(line.slice(line[5] === " " ? 6 : 5));
      }
    }
    return payloads;
  }
}
