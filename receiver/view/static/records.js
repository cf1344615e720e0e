// Records: cuts a body that goes on into records; see receiver/view/records.py.

const LENGTHS = 8;
// No head and no picture is longer; a body that says so is not ours.
const MOST = 64 << 20;

const words = new TextDecoder();

export class RecordReader {
  #chunks = [];
  #held = 0;
  #head = 0;
  #need = LENGTHS;
  #inside = false;

  // Takes what came, a Uint8Array; returns the records that it completes as { head, body }.
  push(chunk) {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const records = [];
    while (this.#held >= this.#need) {
      const bytes = this.#take(this.#need);
      if (this.#inside) {
        records.push({
          head: JSON.parse(words.decode(bytes.subarray(0, this.#head))),
          body: bytes.subarray(this.#head),
        });
        this.#need = LENGTHS;
      } else {
        const lengths = new DataView(bytes.buffer, bytes.byteOffset, LENGTHS);
        this.#head = lengths.getUint32(0);
        const body = lengths.getUint32(4);
        if (this.#head > MOST || body > MOST) throw new Error("The receiver sent what is no record.");
        this.#need = this.#head + body;
      }
      this.#inside = !this.#inside;
    }
    return records;
  }

  #take(length) {
    this.#held -= length;
    const first = this.#chunks[0];
    if (first.length >= length) {
      if (first.length === length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const piece = this.#chunks[0].subarray(0, length - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      if (piece.length === this.#chunks[0].length) this.#chunks.shift();
      else this.#chunks[0] = this.#chunks[0].subarray(piece.length);
    }
    return bytes;
  }
}

// Yields each record of an answer to fetch, until it ends or its signal is aborted.
export async function* recordsOf(answer) {
  const body = answer.body.getReader();
  const reader = new RecordReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    yield* reader.push(value);
  }
}
