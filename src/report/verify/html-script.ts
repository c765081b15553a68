/**
 * The script of the HTML report, as the browser runs it: filters findings and matrix, and makes the
 * rows of the table of calls as they are looked at. Data reaches the page by `textContent` alone.
 */
export const HTML_SCRIPT = `
'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId('data').textContent);
  const { kinds, profiles, operations, states } = data;
  const width = operations.length;
  const PAGE = 100;
  // One number for each profile and operation: the state, or -1 where it was not probed.
  const calls = new Int16Array(profiles.length * width).fill(-1);
  let probed = 0;
  data.calls.forEach((digits, profile) => {
    for (let index = 0; index < width; index++) {
      if (digits[2 * index] === '.') continue;
      calls[profile * width + index] = parseInt(digits.slice(2 * index, 2 * index + 2), 36);
      probed++;
    }
  });
  const operationTexts = operations.map((operation) => operation.join(' ').toLowerCase());
  const profileTexts = profiles.map((profile) => profile.toLowerCase());
  const cards = [...document.querySelectorAll('.finding')].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    kind: element.dataset.kind,
    profile: Number(element.dataset.profile),
  }));
  const matrix = byId('matrix');
  const rows = [...matrix.tBodies[0].rows].map((element) => ({
    element,
    name: element.cells[0].textContent,
    quiet: 'quiet' in element.dataset,
  }));
  const [search, kindSelect, profileSelect] = ['search', 'kind', 'profile'].map(byId);
  const columns = new CSSStyleSheet();
  document.adoptedStyleSheets = [columns];
  const body = byId('calls').tBodies[0];
  const more = byId('more');
  const listed = Number(byId('findings').dataset.all) > cards.length ? ' listed' : '';
  let found = [];
  let showQuiet = false;

  const counted = (count, all, one) => {
    const number = count === all ? all.toLocaleString('en-US') : count.toLocaleString('en-US') + ' of ' + all.toLocaleString('en-US');
    return number + ' ' + one + (all === 1 ? '' : 's');
  };

  function apply() {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const kind = kindSelect.value;
    const profile = profileSelect.value === '' ? -1 : Number(profileSelect.value);
    const fits = (text) => words.every((word) => text.includes(word));

    let shownFindings = 0;
    for (const card of cards) {
      const shown = (profile < 0 || card.profile === profile) && (kind === '' || kind === 'any' || card.kind === kind) && fits(card.text);
      card.element.hidden = !shown;
      if (shown) shownFindings++;
    }

    const kindFits = states.map(([number]) => kind === '' || (kind === 'any' ? number >= 0 : kind === 'none' ? number < 0 : kinds[number] === kind));
    found = [];
    const resources = new Set();
    const ways = new Map();
    for (let p = 0; p < profiles.length; p++) {
      if (profile >= 0 && p !== profile) continue;
      // Each word may stand in the profile's name or in the operation.
      const left = words.filter((word) => !profileTexts[p].includes(word));
      const key = left.join(' ');
      let matching = ways.get(key);
      if (!matching) {
        matching = operationTexts.map((text) => left.every((word) => text.includes(word)));
        ways.set(key, matching);
      }
      for (let index = 0; index < width; index++) {
        const state = calls[p * width + index];
        if (state < 0 || !matching[index] || !kindFits[state]) continue;
        found.push(p * width + index);
        resources.add(operations[index][2]);
      }
    }
    // Findings before what is as expected; within each, the order of the profiles.
    if (kind === '') found = [...found.filter((call) => states[calls[call]][0] >= 0), ...found.filter((call) => states[calls[call]][0] < 0)];

    const filtered = words.length > 0 || kind !== '' || profile >= 0;
    let shownRows = 0;
    for (const row of rows) {
      const shown = filtered ? resources.has(row.name) : showQuiet || !row.quiet;
      row.element.hidden = !shown;
      if (shown) shownRows++;
    }
    columns.replaceSync(profile < 0 ? '' : '#matrix tr > :not(:first-child):not(:nth-child(' + (profile + 2) + ')) { display: none; }');

    byId('count').textContent = [
      'Showing ' + counted(shownFindings, cards.length, 'finding') + listed,
      counted(shownRows, rows.length, 'resource'),
      counted(found.length, probed, 'call'),
    ].join(', ') + '.';
    byId('no-findings').hidden = shownFindings > 0 || cards.length === 0;
    body.replaceChildren();
    showMore();
  }

  function showMore() {
    const from = body.rows.length;
    const added = document.createDocumentFragment();
    for (const call of found.slice(from, from + PAGE)) added.append(rowOf(call));
    body.append(added);
    const rest = found.length - body.rows.length;
    more.hidden = rest <= 0;
    more.textContent = 'Show ' + Math.min(PAGE, rest) + ' more of ' + rest.toLocaleString('en-US');
    return body.rows[from];
  }

  function rowOf(call) {
    const row = document.createElement('tr');
    const [name, endpoint, resource] = operations[call % width];
    const [kind, expected, observed, evidence, answer] = states[calls[call]];
    const badge = document.createElement('span');
    badge.textContent = kind < 0 ? 'as expected' : kinds[kind];
    if (kind >= 0) badge.className = 'badge ' + kinds[kind];
    const operation = document.createElement('th');
    operation.scope = 'row';
    const code = document.createElement('code');
    code.textContent = name;
    operation.append(code);
    const cells = [endpoint, profiles[Math.floor(call / width)], resource, expected, observed, evidence, answer].map((text) => {
      const cell = document.createElement('td');
      cell.textContent = text;
      return cell;
    });
    const first = document.createElement('td');
    first.append(badge);
    row.append(operation, first, ...cells);
    return row;
  }

  byId('filter').hidden = false;
  byId('no-script').hidden = true;
  byId('calls-scroll').hidden = false;
  let timer;
  search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(apply, 80); });
  kindSelect.addEventListener('change', apply);
  profileSelect.addEventListener('change', apply);
  byId('filter').addEventListener('submit', (event) => event.preventDefault());
  byId('filter').addEventListener('reset', () => setTimeout(apply));
  more.addEventListener('click', () => {
    const row = showMore();
    if (row) { row.tabIndex = -1; row.focus(); }
  });
  const quiet = byId('quiet');
  quiet.hidden = !rows.some((row) => row.quiet);
  quiet.addEventListener('click', () => {
    showQuiet = !showQuiet;
    quiet.setAttribute('aria-pressed', String(showQuiet));
    apply();
  });
  apply();
})();
`;
