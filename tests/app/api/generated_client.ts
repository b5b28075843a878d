// Uses a client that is typed by what openapi-typescript makes of the OpenAPI document; run by test_generated_client.py.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

declare const process: { argv: [string, string, string] };

function check(holds: boolean, told: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(told));
}

const client = createClient<paths>({ baseUrl: process.argv[2] });
const asked = { rhythm: "jig", key: "D", seed: 7, length: 2000 };

const made = await client.POST("/generate", { body: asked });
check(typeof made.data === "object", made.error); // a string is what it is as ABC or as events
const tune: components["schemas"]["GeneratedTune"] | undefined = made.data.tunes[0];
check(tune !== undefined && tune.complete && made.data.seed === 7, made.data);

const stream = await client.POST("/generate", { body: asked, headers: { Accept: "text/event-stream" }, parseAs: "text" });
check(`${stream.data}`.startsWith("event: start") && `${stream.data}`.includes("event: done"), stream.data);

const linked = await client.GET("/tune.{ending}", {
  params: { path: { ending: "mid" }, query: { ...asked, program: "flute" } },
  parseAs: "arrayBuffer",
});
check(linked.data instanceof ArrayBuffer, linked.error);
check(new TextDecoder().decode(linked.data.slice(0, 4)) === "MThd", "no MIDI");

const sound = await client.POST("/render", { body: { abc: tune.abc, format: "mp3" }, parseAs: "arrayBuffer" });
const bytes: unknown = sound.data;
check(bytes instanceof ArrayBuffer, sound.error);
check(new TextDecoder().decode(bytes.slice(0, 3)) === "ID3", "no MP3"); // the tags before the first MPEG frame

const refused = await client.POST("/generate", { body: { rhythm: "polca" } });
check(refused.error?.status === 422 && refused.error.errors?.[0]?.field === "rhythm", refused);

console.log(tune.abc);
