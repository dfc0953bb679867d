// What the tests of the page's state see and do in a page, before any of its own scripts runs.

// A worker that can be slow, fall silent and be answered for.
window.worker = { delay: () => 0, canned: {}, asked: [], all: [] };
const NativeWorker = window.Worker;
window.Worker = class extends NativeWorker {
  constructor(...options) {
    super(...options);
    if (String(options[0]).includes("/runtime/")) worker.all.push(this);
  }
  postMessage(message, ...rest) {
    const name = message?.path?.[0] === "call" && message.argumentList[0].value;
    if (!name) return super.postMessage(message, ...rest);
    worker.asked.push(name);
    const canned = worker.canned[name];
    const send = () => {
      if (!canned) return super.postMessage(message, ...rest);
      const data = { id: message.id, ...canned(JSON.parse(message.argumentList[1].value)) };
      this.dispatchEvent(new MessageEvent("message", { data }));
    };
    const delay = worker.delay(name);
    if (delay !== null) setTimeout(send, delay);
  }
};
worker.answer = (value) => ({ type: "RAW", value: JSON.stringify(value) });
worker.error = (name, message) => ({
  type: "HANDLER",
  name: "throw",
  value: { isError: true, value: { name, message, stack: "" } },
});

// What belongs together, by the definitions of the layers: a product for each weight and output, a bias per output.
const size = ({ length, kernel_size, padding, stride, dilation }) =>
  Math.floor((+length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1;
const COUNTS = {
  linear: (f) => {
    const weights = f.in_features * f.out_features;
    return { macs: weights * (f.batch_size || 1) * (f.sequence_length || 1), params: weights + f.bias * f.out_features };
  },
  conv1d: (f) => {
    const weights = f.out_channels * (f.in_channels / f.groups) * f.kernel_size;
    return { macs: (f.batch_size || 1) * weights * size(f), params: weights + f.bias * f.out_channels };
  },
};
const spaced = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");

window.seen = { wrong: [], marks: new Set() };
window.look = () => {
  const calculator = document.querySelector("flops-calculator");
  const form = calculator?.querySelector("form");
  const choice = calculator?.querySelector("[data-choice]");
  if (!form || !COUNTS[choice?.value]) return "no such calculator";
  const controls = [...form.elements].filter(({ name }) => name);
  const text = Object.fromEntries(
    controls.map(({ name, type, checked, value }) => [name, type === "checkbox" ? checked : value]),
  );
  const counts = COUNTS[choice.value](text);
  const isOld = (selector) => calculator.querySelector(selector).hasAttribute("data-old");
  const mark = calculator.querySelector("[data-mark]").textContent;
  seen.marks.add(mark);
  if (isOld(".calculator-answer")) return mark || "about to be answered";
  const formulas = calculator.querySelector("[data-asks=formulas]");
  for (const [quantity, count] of Object.entries(counts)) {
    const shown = calculator.querySelector(`[data-quantity="${quantity}"]`).getAttribute("value");
    if (shown !== String(count)) return seen.wrong.push([choice.value, text, `${quantity}: ${shown}`]) && "wrong";
  }
  if (formulas.open && !isOld("[data-asks=formulas]") && !formulas.textContent.includes(`= ${spaced(counts.macs)}`))
    return seen.wrong.push([choice.value, text, "formulas"]) && "wrong";
  return formulas.open && isOld("[data-asks=formulas]") ? "its formulas are to come" : "";
};
const watch = () => (look(), requestAnimationFrame(watch));
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  watch();
});
