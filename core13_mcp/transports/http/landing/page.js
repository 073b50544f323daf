// Adds a button to each block that copies its text. Without this script, the page works and has no buttons.
const status = document.querySelector("[role=status]");

function select(block) {
  const range = document.createRange();
  range.selectNodeContents(block);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

async function copy(block) {
  try {
    // Browsers offer the clipboard on https pages and on this machine only.
    await navigator.clipboard.writeText(block.textContent);
    return true;
  } catch {
    select(block);
    return document.execCommand("copy");
  }
}

// A screen reader says which text the button belongs to.
function label(button, block, word) {
  button.textContent = word;
  button.setAttribute("aria-label", `${word}: ${block.getAttribute("aria-label")}`);
}

for (const block of document.querySelectorAll("pre")) {
  const button = document.createElement("button");
  button.type = "button";
  label(button, block, "Copy");
  button.addEventListener("click", async () => {
    const copied = await copy(block);
    label(button, block, copied ? "Copied" : "Press Ctrl+C");
    status.textContent = copied ? "Copied to the clipboard." : "The text is selected. Press Ctrl+C to copy it.";
  });
  block.before(button);
}
