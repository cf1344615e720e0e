// @ts-check
/**
 * Sends a folder of pictures and prints what became of each.
 *
 *     node example.mjs pictures/ --camera door --wait 1
 */

import { readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";

import { Client, FramepostError, Refused } from "./framepost.mjs";
import { LatestFrameSender } from "./framepost-live.mjs";

/** @type {Record<string, string>} */
const TYPES = {
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
};

const USAGE = `usage: node example.mjs FOLDER [options]
  --url URL          the receiver (http://127.0.0.1:8000)
  --camera NAME      the name that the frames go by (cam1)
  --fps N            pictures a second; else as fast as they go
  --loop             begin the folder again at its end
  --wait SECONDS     wait so long for each result
  --timeout SECONDS  for an exchange (5)
  --every            have all processed, even if newer ones come
  --latest           send only what is newest
  --disobey          with --latest: as many as there are, come what may
  --size WxH         of .bgr files with raw pixels
  --token TOKEN      the receiver's; better in FRAMEPOST_TOKEN, where others do not see it`;

/** What to end with: 1, a frame was refused or its hook failed; 3, no reply. */
let status = 0;

let wish = "";

/** @param {import("./framepost.mjs").Control | null} control */
function describe(control) {
  const { fps, size, quality } = control ?? {};
  const wishes = [
    fps && `fps=${fps}`,
    size && `size=${size.width}x${size.height}`,
    quality && `quality=${quality}`,
  ];
  return wishes.filter(Boolean).join(" ");
}

/** @param {string} name @param {import("./framepost.mjs").Reply} reply */
function tell(name, reply) {
  if (describe(reply.control) !== wish) {
    wish = describe(reply.control);
    console.log(`the receiver wishes ${wish || "nothing more"}`);
  }
  if (reply.state === "failed") status = Math.max(status, 1);
  const result = reply.result === null ? "" : JSON.stringify(reply.result);
  const what = `${reply.status} ${reply.state} ${reply.error ?? result}`;
  console.log(`${name}: ${what.trimEnd()}`);
}

/** @param {string} name @param {unknown} error */
function complain(name, error) {
  if (error instanceof Refused) {
    status = Math.max(status, 1);
    console.log(`${name}: ${error.status} refused ${error.detail}`);
  } else if (error instanceof FramepostError) {
    status = 3;
    console.log(`${name}: no reply, ${error.message}`);
  } else {
    throw error;
  }
}

/** @param {string} folder @param {boolean} loop @param {number} fps */
async function* pictures(folder, loop, fps) {
  const names = readdirSync(folder)
    .filter((name) => extname(name).toLowerCase() in TYPES)
    .sort();
  if (!names.length) {
    fail(
      `${folder}: expected files ${Object.keys(TYPES).join(", ")}, found none`,
    );
  }
  let due = performance.now();
  do {
    for (const name of names) {
      if (fps) {
        const early = due - performance.now();
        if (early > 0) await new Promise((done) => setTimeout(done, early));
        due = Math.max(due, performance.now() - 1000 / fps) + 1000 / fps;
      }
      const data = await readFile(join(folder, name));
      yield { name, data, contentType: TYPES[extname(name).toLowerCase()] };
    }
  } while (loop);
}

/** @param {string} sentence @returns {never} */
function fail(sentence) {
  console.error(`${USAGE}\n\nexample.mjs: ${sentence}`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: "string", default: "http://127.0.0.1:8000" },
        camera: { type: "string", default: "cam1" },
        fps: { type: "string" },
        loop: { type: "boolean", default: false },
        wait: { type: "string" },
        timeout: { type: "string", default: "5" },
        every: { type: "boolean", default: false },
        latest: { type: "boolean", default: false },
        size: { type: "string" },
        disobey: { type: "boolean", default: false },
        token: { type: "string", default: process.env.FRAMEPOST_TOKEN },
      },
    });
  } catch (error) {
    return fail(/** @type {Error} */ (error).message);
  }
}

/** @param {string} name @param {string | undefined} text */
function number(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= 0)) fail(`--${name}: expected a number, got '${text}'`);
  return value;
}

const { values, positionals } = parse();
const [folder] = positionals;
if (!folder || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
  fail(`expected a folder of pictures, got '${folder ?? ""}'`);
}
if (values.size) {
  const [, width, height] =
    /^([0-9]+)x([0-9]+)$/.exec(values.size) ??
    fail(`--size: expected WIDTHxHEIGHT, got '${values.size}'`);
  TYPES[".bgr"] = `application/x-raw-bgr; width=${width}; height=${height}`;
}
const wait = number("wait", values.wait);
const files = pictures(folder, !!values.loop, number("fps", values.fps) ?? 0);
/** @type {Client} */
let client;
try {
  client = new Client(String(values.url), String(values.camera), {
    token: values.token,
    timeout: number("timeout", values.timeout),
  });
} catch (error) {
  fail(/** @type {Error} */ (error).message);
}

if (values.latest) {
  const sender = new LatestFrameSender(client, {
    wait,
    obey: !values.disobey,
    onReply: (frame, reply) => tell(`frame ${frame.seq}`, reply),
    onTrouble: (frame, error) => complain(`frame ${frame.seq}`, error),
  });
  let stopped = false;
  process.once("SIGINT", () => (stopped = true));
  for await (const { data, contentType } of files) {
    if (stopped) break;
    sender.offer(data, { contentType });
  }
  await sender.close();
  const { waiting, ...counts } = sender.counts;
  console.log(
    Object.entries(counts)
      .map(([name, count]) => `${name}=${count}`)
      .join(" "),
  );
} else {
  process.once("SIGINT", () => process.exit(130));
  const { every } = values;
  for await (const { name, data, contentType } of files) {
    try {
      tell(name, await client.send(data, { wait, every, contentType }));
    } catch (error) {
      complain(name, error);
    }
  }
}
process.exitCode = status;
