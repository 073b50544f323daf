// The check of check.py, for the libraries of npm. `load` connects a library and returns {schemas, call, close}.
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const TOOLS = 18;
const READ = "users-hedgehog-config-retrieve";
const WRITE = "users-hedgehog-config-partial-update";
const COLOR = "rainbow-17";
const CONFIRMED = "subscriptions-test-delivery-create";
const DELIVERY = { project_id: 1, id: 1 };

function fail(message) {
  console.error(message);
  process.exit(1);
}

function version(name) {
  const here = dirname(fileURLToPath(import.meta.url));
  return JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8")).version;
}

// Call a tool by its name in the server, and return the text for the model, also if it is an error.
async function result(loaded, name, args) {
  const visible = Object.keys(loaded.schemas).find((key) => key.replaceAll("_", "-").endsWith(name));
  try {
    return JSON.stringify(await loaded.call(visible, args));
  } catch (error) {
    return String(error.message);
  }
}

async function write(loaded) {
  const before = await result(loaded, READ, {});
  const written = await result(loaded, WRITE, { hedgehog_config: { color: COLOR } });
  const after = await result(loaded, READ, {});
  if (before.includes(COLOR) || !after.includes(COLOR)) fail(`the write had no effect:\n${before}\n${written}\n${after}`);
}

async function confirm(loaded, questions) {
  let answer = await result(loaded, CONFIRMED, DELIVERY);
  const method = questions.length ? "a form" : "a code";
  if (!questions.length) {
    const code = answer.match(/\b\w{4}-\w{4}-\w{4}\b/) ?? fail(`no form and no code:\n${answer}`);
    answer = await result(loaded, CONFIRMED, { ...DELIVERY, confirmation: code[0] });
  }
  if (answer.includes("confirmation_") || !answer.includes("Queued")) fail(`the call was not confirmed:\n${answer}`);
  return method;
}

// Load and call the tools with one library, and print what the model gets.
export async function check(name, load) {
  const command = process.argv[2];
  const questions = [];
  const args = ["serve", "--sandbox", "--log-level", "error"];
  const loaded = await load({ command, args, questions });
  const names = Object.keys(loaded.schemas);
  if (names.length !== TOOLS) fail(`loaded ${names.length} of ${TOOLS} tools: ${names}`);
  await write(loaded);
  const method = await confirm(loaded, questions);
  const closed = Object.values(loaded.schemas).filter((schema) => schema.additionalProperties === false).length;
  const shortest = names.reduce((one, other) => (other.length < one.length ? other : one));
  console.log(`${name} ${version(name)}: read, wrote, confirmed by ${method}; ${TOOLS} tools named like ${shortest}, ${closed} schemas closed`);
  await loaded.close();
}
