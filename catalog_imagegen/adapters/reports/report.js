"use strict";
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const cards = [...document.querySelectorAll("article.card")];
  const texts = cards.map((card) => card.querySelector("header").textContent.toLowerCase());
  let narrowed = "";

  const narrow = (platform, role) => {
    if (narrowed === platform + "/" + role) return;
    narrowed = platform + "/" + role;
    for (const card of cards) {
      let any = !platform && !role;
      for (const listing of card.querySelectorAll(".listing")) {
        let count = 0;
        for (const tile of listing.querySelectorAll("li")) {
          tile.hidden = Boolean(role) && tile.dataset.r !== role;
          count += !tile.hidden;
        }
        const elsewhere = platform && "platform" in listing.dataset && listing.dataset.platform !== platform;
        listing.hidden = elsewhere || !count;
        any = any || !listing.hidden;
      }
      const more = card.querySelector(".more");
      if (more) {
        more.hidden = !more.querySelector(".listing:not([hidden])");
        more.open = Boolean(platform) && !more.hidden;
      }
      card.dataset.any = any ? "1" : "";
    }
  };

  const apply = () => {
    const { text, status, platform, role } = form.elements;
    narrow(platform.value, role.value);
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    cards.forEach((card, index) => {
      card.hidden =
        !card.dataset.any ||
        (Boolean(status.value) && card.dataset.status !== status.value) ||
        !words.every((word) => texts[index].includes(word));
      count += !card.hidden;
    });
    shown.textContent = shown.dataset.text.replace("{shown}", count).replace("{all}", cards.length);
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  for (const link of document.querySelectorAll("[data-choose]")) {
    link.addEventListener("click", () => {
      form.elements.status.value = link.dataset.choose;
      apply();
    });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#sku-']");
    const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target && target.hidden) {
      form.reset();
      setTimeout(() => target.scrollIntoView());
    }
  });
  form.hidden = false;
  apply();
})();
