// Access: the token that the receiver may ask for. It stays in this tab and is never in an address.

import { partsOf, say } from "./parts.js";

const KEY = "framepost-token";

// An answer that is no success, with the receiver's sentence.
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    // Only a person can change it.
    this.final = status === 401 || status === 403;
  }
}

export class Access {
  #dialog;
  #parts;
  #asking = null;
  #roles = null;
  onChange = () => {};

  constructor(dialog) {
    this.#dialog = dialog;
    this.#parts = partsOf(dialog);
    this.request = this.request.bind(this);
  }

  get token() {
    return sessionStorage.getItem(KEY);
  }

  // What the token permits; without tokens everything.
  may(role) {
    return this.#roles === null || this.#roles.includes(role) || this.#roles.includes("admin");
  }

  // Finds out whether a token is asked for, and asks for it once.
  async open() {
    // Where nobody answers, the first request will tell.
    const facts = await this.#look(this.token).catch(() => null);
    if (facts === null) return;
    this.#roles = facts.required ? facts.roles : null;
    this.onChange();
    if (!this.may("view")) await this.ask(this.token ? "This token is not valid here." : "");
  }

  // Like fetch, with the token; asks for one where it is missing. Throws Refused, TypeError, AbortError.
  async request(address, options = {}, need = "view") {
    let answer = await this.#fetch(address, options);
    if (answer.status === 401) this.#roles = [];
    if (answer.status === 401 || (answer.status === 403 && need === "admin")) {
      await this.ask(answer.status === 403 ? "This needs a token with the role admin." : "", need);
      answer = await this.#fetch(address, options);
    }
    if (answer.ok || answer.status === 304) return answer;
    throw new Refused(answer.status, await detail(answer));
  }

  async json(address, options, need) {
    return (await this.request(address, options, need)).json();
  }

  forget() {
    sessionStorage.removeItem(KEY);
    this.#roles = [];
    this.onChange();
  }

  // Shows the form until a token is given that serves; throws Refused when it is closed instead.
  ask(why, need = "view") {
    this.#asking ??= this.#ask(why, need).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(why, need) {
    const { form, token, problem } = this.#parts;
    say(problem, why);
    token.value = "";
    this.#dialog.showModal();
    try {
      for (;;) {
        const given = await this.#given(form, token);
        if (given === null) throw new Refused(401, "This receiver asks for a token.");
        const facts = await this.#look(given).catch(() => null);
        const roles = facts?.roles ?? [];
        if (roles.includes(need) || roles.includes("admin") || facts?.required === false) {
          sessionStorage.setItem(KEY, given);
          this.#roles = facts.required ? roles : null;
          this.onChange();
          return;
        }
        say(problem, reason(facts, need));
        token.select();
      }
    } finally {
      token.value = "";
      this.#dialog.close();
    }
  }

  #given(form, token) {
    return new Promise((resolve) => {
      const done = new AbortController();
      const end = (value) => {
        done.abort();
        resolve(value);
      };
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        end(token.value.trim());
      }, { signal: done.signal });
      this.#dialog.addEventListener("close", () => end(null), { signal: done.signal });
    });
  }

  // A receiver that knows no tokens has no such route.
  async #look(token) {
    const answer = await fetch("access", { headers: bearer(token), cache: "no-store" });
    if (!answer.ok) return { required: false, roles: [] };
    return { ...(await answer.json()), wait: answer.headers.get("Retry-After") };
  }

  #fetch(address, options) {
    return fetch(address, { ...options, headers: { ...options.headers, ...bearer(this.token) } });
  }
}

function bearer(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function reason(facts, need) {
  if (!facts) return "The receiver does not answer.";
  if (facts.wait) return `Too many wrong tokens came from here; try again in ${facts.wait} s.`;
  if (facts.roles.length) return `This token is for ${facts.roles.join(", ")}, not for ${need}.`;
  return "This token is not valid here.";
}

async function detail(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? `The receiver answers ${answer.status}.`;
}
