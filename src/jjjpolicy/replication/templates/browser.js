(function () {
"use strict";
var root = document.documentElement;
var search = document.getElementById("search");
var found = document.getElementById("found");
var button = document.getElementById("language");
var articles = Array.prototype.slice.call(document.querySelectorAll("article"));
var redraws = [];

function language() { return root.dataset.language; }

function speak(chosen) {
  root.dataset.language = chosen;
  root.lang = chosen === "zh" ? "zh-Hans" : "en";
  button.setAttribute("aria-label", button.dataset[chosen]);
  search.placeholder = search.dataset[chosen];
  try { localStorage.setItem("language", chosen); } catch (error) { /* not allowed: forget it */ }
  redraws.forEach(function (draw) { draw(); });
  filter();
}

// ---------------------------------------------------------------- search
var texts = null;
function read(article) {
  var plot = article.querySelector(".plot");
  var data = plot ? document.getElementById(plot.dataset.source).textContent : "";
  var words = "";
  var walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT, function (node) {
    return node.parentNode.nodeName === "SCRIPT" ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  });
  while (walker.nextNode()) { words += walker.currentNode.data + " "; }
  return (words + data).toLowerCase();
}

function filter() {
  var wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  var count = 0;
  if (wanted.length) { texts = texts || articles.map(read); }
  articles.forEach(function (article, number) {
    var fits = wanted.every(function (word) { return texts[number].indexOf(word) >= 0; });
    article.hidden = !fits;
    document.querySelector('[data-entry="' + article.id + '"]').hidden = !fits;
    count += fits ? 1 : 0;
  });
  document.getElementById("nothing").hidden = count > 0;
  found.textContent = wanted.length === 0 ? "" : count + (language() === "zh" ? " 项" : " of " + articles.length);
}

// ---------------------------------------------------------------- printed figures
function drawing(image) {
  if (image.src) { return; }
  var markup = document.getElementById(image.dataset.drawing).textContent;
  image.src = URL.createObjectURL(new Blob([markup], { type: "image/svg+xml" }));
}

var drawings = Array.prototype.slice.call(document.querySelectorAll("[data-drawing]"));

// ---------------------------------------------------------------- plots
function element(name, attributes, parent) {
  var made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
  if (parent) { parent.appendChild(made); }
  return made;
}

function html(name, className, parent, text) {
  var made = document.createElement(name);
  if (className) { made.className = className; }
  if (text !== undefined) { made.textContent = text; }
  if (parent) { parent.appendChild(made); }
  return made;
}

function steps(low, high, count) {
  var rough = (high - low) / count, power = Math.pow(10, Math.floor(Math.log10(rough)));
  var step = [1, 2, 5, 10].map(function (m) { return m * power; })
    .filter(function (s) { return s >= rough; })[0];
  var ticks = [];
  for (var k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) { ticks.push(k * step); }
  return { ticks: ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

function print(value, digits) { return value.toFixed(digits).replace("-", "\u2212"); }

function significant(value) {
  return print(value, Math.abs(value) >= 100 ? 1 : 3);
}

function extent(panels) {
  var low = Infinity, high = -Infinity;
  panels.forEach(function (panel) {
    panel.series.forEach(function (series) {
      [series.values, series.lower || [], series.upper || []].forEach(function (numbers) {
        numbers.forEach(function (number) {
          if (number !== null) { low = Math.min(low, number); high = Math.max(high, number); }
        });
      });
    });
  });
  if (!(high > low)) { low -= 1; high += 1; }
  var margin = 0.05 * (high - low);
  return [low - margin, high + margin];
}

var ROLES = {
  treated: { en: "Treated", zh: "处理组" },
  counterfactual: { en: "Synthetic", zh: "合成对照" },
  placebo: { en: "Placebos", zh: "安慰剂" },
  estimate: { en: "Estimates", zh: "估计值" },
  band: { en: "Band for all at once", zh: "一致置信带" }
};

function plot(holder) {
  var data = JSON.parse(document.getElementById(holder.dataset.source).textContent);
  var shown = {};
  data.panels.forEach(function (panel) {
    panel.series.forEach(function (series) { shown[series.role] = true; });
  });
  var printed = holder.parentNode.querySelector("[data-printed]");
  printed.open = false;
  holder.hidden = false;
  redraws.push(draw);

  function draw() {
    var tongue = language();
    holder.textContent = "";
    var keys = html("div", "keys", holder);
    Object.keys(ROLES).filter(function (role) { return role in shown; }).forEach(function (role) {
      var label = html("label", "", keys);
      var box = html("input", "", label);
      box.type = "checkbox"; box.checked = shown[role]; box.dataset.role = role;
      html("i", role, label);
      html("span", "", label, ROLES[role][tongue]);
      box.addEventListener("change", function () {
        shown[role] = box.checked;
        holder.querySelectorAll("svg [data-role=" + role + "]").forEach(function (each) {
          each.style.display = box.checked ? "" : "none";
        });
      });
    });
    var reading = html("p", "reading", holder);
    reading.setAttribute("aria-live", "polite");
    reading.textContent = data.vertical[tongue];
    var whole = data.common_scale ? extent(data.panels) : null;
    var panels = html("div", "panels", holder);
    data.panels.forEach(function (panel) { drawPanel(panel, whole || extent([panel]), panels, reading, tongue); });
  }

  function drawPanel(panel, range, parent, reading, tongue) {
    var width = data.panels.length === 1 ? 640 : 320, height = 230;
    var left = 46, right = 8, top = 8, bottom = 34;
    var box = html("div", "", parent);
    html("h3", "", box, panel.title[tongue]);
    var svg = element("svg", {
      viewBox: "0 0 " + width + " " + height, tabindex: 0, role: "application",
      "aria-roledescription": tongue === "zh" ? "可用方向键读取的图" : "plot, read with the arrow keys",
      "aria-label": (panel.title[tongue] ? panel.title[tongue] + ": " : "") + data.vertical[tongue]
    }, box);
    var xs = panel.positions, first = xs[0], last = xs[xs.length - 1];
    var pad = panel.series.some(function (s) { return s.role === "estimate"; }) ? 0.5 : 0;
    function x(value) { return left + (value - first + pad) / (last - first + 2 * pad || 1) * (width - left - right); }
    function y(value) { return top + (range[1] - value) / (range[1] - range[0]) * (height - top - bottom); }

    var vertical = steps(range[0], range[1], 5);
    vertical.ticks.forEach(function (tick) {
      element("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: Math.abs(tick) < 1e-12 ? "zero" : "guide" }, svg);
      element("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, svg).textContent = print(tick, vertical.digits);
    });
    element("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "axis" }, svg);
    steps(first, last, width > 400 ? 8 : 4).ticks.filter(function (tick) { return tick % 1 === 0; }).forEach(function (tick) {
      element("line", { x1: x(tick), x2: x(tick), y1: height - bottom, y2: height - bottom + 4, class: "axis" }, svg);
      element("text", { x: x(tick), y: height - bottom + 16, "text-anchor": "middle" }, svg).textContent = print(tick, 0);
    });
    element("text", { x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, svg).textContent = data.horizontal[tongue];
    if (data.policy !== null) {
      element("line", { x1: x(data.policy), x2: x(data.policy), y1: top, y2: height - bottom, class: "policy" }, svg);
    }
    var paths = panel.series.map(function (series) { return drawSeries(series, svg, x, y, xs); });
    var dot = element("circle", { r: 4, class: "dot", visibility: "hidden" }, svg);

    var at = { series: panel.series.length - 1, point: 0 };
    function visible(number) { return shown[panel.series[number].role]; }
    function choose(series, point) {
      var chosen = panel.series[series], value = chosen.values[point];
      at = { series: series, point: point };
      paths.forEach(function (path, number) { path.classList.toggle("chosen", number === series); });
      if (value === null) { return; }
      dot.setAttribute("cx", x(xs[point])); dot.setAttribute("cy", y(value)); dot.setAttribute("visibility", "visible");
      var text = panel.title[tongue] + (panel.title[tongue] === chosen.name[tongue] || !panel.title[tongue] ? "" : " · " + chosen.name[tongue]) +
        " · " + print(xs[point], 0) + ": " + significant(value);
      if (chosen.lower && chosen.lower[point] !== null && chosen.upper[point] > chosen.lower[point]) {
        text += " [" + significant(chosen.lower[point]) + ", " + significant(chosen.upper[point]) + "]";
      }
      reading.textContent = text;
    }
    function leave() {
      dot.setAttribute("visibility", "hidden");
      paths.forEach(function (path) { path.classList.remove("chosen"); });
    }
    function near(event) {
      var frame = svg.getBoundingClientRect(), scale = width / frame.width;
      var px = (event.clientX - frame.left) * scale, py = (event.clientY - frame.top) * scale;
      var best = null, least = Infinity;
      panel.series.forEach(function (series, number) {
        if (!visible(number)) { return; }
        series.values.forEach(function (value, point) {
          if (value === null) { return; }
          var dx = x(xs[point]) - px, dy = y(value) - py, far = 4 * dx * dx + dy * dy;
          if (far <= least) { least = far; best = [number, point]; }
        });
      });
      if (best) { choose(best[0], best[1]); }
    }
    svg.addEventListener("pointermove", near);
    svg.addEventListener("pointerdown", near);
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("blur", leave);
    svg.addEventListener("focus", function () { if (visible(at.series)) { choose(at.series, at.point); } });
    svg.addEventListener("keydown", function (event) {
      var across = { ArrowLeft: -1, ArrowRight: 1 }[event.key] || 0, along = { ArrowUp: -1, ArrowDown: 1 }[event.key] || 0;
      if (event.key === "Home") { across = -xs.length; }
      if (event.key === "End") { across = xs.length; }
      if (!across && !along) { return; }
      event.preventDefault();
      var series = at.series, count = panel.series.length, tries = 0;
      do { series = (series + (along || (tries ? 1 : 0)) + count) % count; tries += 1; } while (!visible(series) && tries < count);
      choose(series, Math.max(0, Math.min(xs.length - 1, at.point + across)));
    });
  }

  function drawSeries(series, svg, x, y, xs) {
    var group = element("g", { "data-role": series.role, "data-name": series.name.en }, svg);
    if (!shown[series.role]) { group.style.display = "none"; }
    if (series.role === "estimate") {
      series.values.forEach(function (value, point) {
        if (value === null) { return; }
        if (series.lower && series.lower[point] !== null) {
          element("line", { x1: x(xs[point]), x2: x(xs[point]), y1: y(series.lower[point]), y2: y(series.upper[point]), class: "estimate" }, group);
        }
        var fixed = series.lower && series.lower[point] === series.upper[point];
        element("circle", { cx: x(xs[point]), cy: y(value), r: 3.2, class: fixed ? "estimate fixed" : "estimate" }, group);
      });
      return group;
    }
    if (series.role === "band") {
      var known = xs.map(function (_, point) { return point; }).filter(function (point) { return series.lower[point] !== null; });
      var ends = known.map(function (point) { return [x(xs[point]), y(series.upper[point])]; });
      known.reverse().forEach(function (point) { ends.push([x(xs[point]), y(series.lower[point])]); });
      element("polygon", { points: ends.join(" "), class: "band" }, group);
      return group;
    }
    var command = "", open = false;
    series.values.forEach(function (value, point) {
      if (value === null) { open = false; return; }
      command += (open ? "L" : "M") + x(xs[point]).toFixed(2) + " " + y(value).toFixed(2);
      open = true;
    });
    return element("path", { d: command, class: series.role }, group);
  }
  draw();
}

// ---------------------------------------------------------------- start
function when(seen, elements, margin) {
  if (!("IntersectionObserver" in window)) { elements.forEach(seen); return; }
  var watch = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (entry.isIntersecting) { watch.unobserve(entry.target); seen(entry.target); }
    });
  }, { rootMargin: margin });
  elements.forEach(function (each) { watch.observe(each); });
}
Array.prototype.forEach.call(document.querySelectorAll(".plot"), plot);
when(drawing, drawings, "100% 0px");
search.addEventListener("input", filter);
button.addEventListener("click", function () { speak(language() === "zh" ? "en" : "zh"); });
document.addEventListener("keydown", function (event) {
  var typing = /^(input|textarea|select)$/i.test(document.activeElement.tagName);
  if (event.key === "/" && !typing) { event.preventDefault(); search.focus(); search.select(); }
  if (event.key === "Escape" && document.activeElement === search) { search.value = ""; filter(); search.blur(); }
});

var contents = document.getElementById("contents");
if (window.matchMedia("(max-width: 60rem)").matches) { contents.open = false; }
if ("IntersectionObserver" in window) {
  var observer = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) { return; }
      document.querySelectorAll("nav a[aria-current]").forEach(function (a) { a.removeAttribute("aria-current"); });
      var link = document.querySelector('[data-entry="' + entry.target.id + '"] a');
      if (link) { link.setAttribute("aria-current", "true"); }
    });
  }, { rootMargin: "-15% 0px -75% 0px" });
  articles.forEach(function (article) { observer.observe(article); });
}

// Paper shows the printed figures and where everything comes from.
var opened = [];
window.addEventListener("beforeprint", function () {
  opened = Array.prototype.filter.call(document.querySelectorAll("[data-printed], .provenance"), function (each) { return !each.open; });
  opened.forEach(function (each) { each.open = true; });
  drawings.forEach(drawing);
});
window.addEventListener("afterprint", function () { opened.forEach(function (each) { each.open = false; }); });

var wanted = "";
try { wanted = localStorage.getItem("language") || ""; } catch (error) { /* not allowed */ }
if (!wanted && /^zh/.test(navigator.language || "")) { wanted = "zh"; }
speak(wanted === "zh" ? "zh" : "en");
}());
