// History: the last minutes of each camera, one sample a second, told by GET /history and after it
// by the records of status.

const KEPT = 300;
// A sample that is older than the last one by more seconds says that the receiver's clock was set back.
const BACK = 5;

export class History {
  #cameras = new Map();

  // Unix seconds by the receiver's clock, which need not be this machine's.
  get now() {
    const times = [...this.#cameras.values()].map(({ at }) => at.at(-1) ?? 0);
    return Math.max(...times, 0) || Date.now() / 1000;
  }

  // `answer` is what GET /history says.
  load(answer) {
    this.#cameras.clear();
    for (const [name, told] of Object.entries(answer.cameras)) {
      const columns = flat(told);
      this.#cameras.set(name, columns);
      for (const column of Object.values(columns)) column.splice(0, column.length - KEPT);
    }
  }

  // Forgets every camera but these.
  keep(names) {
    for (const name of this.#cameras.keys()) if (!names.includes(name)) this.#cameras.delete(name);
  }

  // `samples` is the newest of each camera.
  add(samples) {
    for (const [name, told] of Object.entries(samples)) {
      if (told === null) continue;
      const columns = this.of(name);
      const sample = flat(told);
      const last = columns.at.at(-1);
      if (sample.at <= last && sample.at > last - BACK) continue;
      while (columns.at.at(-1) > sample.at) for (const column of Object.values(columns)) column.pop();
      for (const key of Object.keys(sample)) columns[key] ??= columns.at.map(() => null);
      for (const [key, column] of Object.entries(columns)) {
        column.push(sample[key] ?? null);
        if (column.length > KEPT) column.shift();
      }
    }
  }

  // Returns columns of equal length: `at`, `received`, `lost.failed`, `ms.hook` and so on.
  of(name) {
    if (!this.#cameras.has(name)) this.#cameras.set(name, { at: [] });
    return this.#cameras.get(name);
  }
}

// Brings {"ms": {"hook": 1}} to {"ms.hook": 1}.
function flat(told, before = "") {
  const found = {};
  for (const [key, value] of Object.entries(told)) {
    const inner = value !== null && typeof value === "object" && !Array.isArray(value);
    Object.assign(found, inner ? flat(value, `${before}${key}.`) : { [before + key]: value });
  }
  return found;
}
