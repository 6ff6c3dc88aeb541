// driver.mjs PACKAGES: a headless Chromium at the end of a pipe, for tests that are written in Python.
//
// Each line of stdin is a request {"page": NAME, "call": "METHOD" or "OBJECT.METHOD", "arguments": [...]}, a method of that
// Playwright page; a page that is not there yet is opened in a context of its own, as another person's browser would be.
// Each line of stdout is its answer, {"result": ...} or {"error": "..."}. What pages did meanwhile (requests, answers,
// errors, refused connections) is asked for by {"page": NAME, "call": "history"}. The end of stdin ends everything.
//
// Later versions of Playwright than 1.61 want a later Node.js than Debian 12 has.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(process.argv[2] + "/")("playwright-core");

const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
});
const pages = new Map();

async function open(name) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    const history = [];
    page.setDefaultTimeout(30000);
    page.on("request", (request) => history.push({ kind: "request", method: request.method(), url: request.url() }));
    page.on("response", (answer) => history.push({ kind: "answer", url: answer.url(), status: answer.status() }));
    page.on("console", (message) => history.push({ kind: message.type(), text: message.text() }));
    page.on("pageerror", (error) => history.push({ kind: "error", text: String(error) }));
    page.on("websocket", (socket) => {
        history.push({ kind: "websocket", url: socket.url() });
        socket.on("close", () => history.push({ kind: "websocket closed", url: socket.url() }));
    });
    pages.set(name, { page, history });
    return pages.get(name);
}

async function perform({ page: name, call, arguments: given = [] }) {
    const { page, history } = pages.get(name) ?? (await open(name));
    if (call === "history") return history;
    if (call === "close") {
        pages.delete(name);
        return page.context().close();
    }
    const path = call.split(".");
    const method = path.pop();
    const object = path.reduce((object, step) => object[step](), page);
    return object[method](...given);
}

for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
        const result = await perform(JSON.parse(line));
        // Handles, answers and the like say nothing to Python.
        const plain = result === null || typeof result !== "object" || Array.isArray(result) || result.constructor === Object;
        answer = { result: plain ? (result ?? null) : null };
    } catch (error) {
        answer = { error: String(error.message ?? error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
