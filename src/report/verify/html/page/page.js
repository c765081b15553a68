// The script of the HTML report, as the browser runs it: filters findings and matrix, and makes the rows of the table
// of calls as they are looked at. Data reaches the page by `textContent` alone.

(() => {
  /**
   * @template {HTMLElement} T
   * @param {string} id
   * @param {new () => T} type
   * @returns {T}
   */
  const byId = (id, type) => {
    const found = document.getElementById(id);
    if (!(found instanceof type)) throw new TypeError(`the page has no ${id}`);
    return found;
  };
  /** @param {string} id */
  const tableBody = (id) => /** @type {HTMLTableSectionElement} */ (byId(id, HTMLTableElement).tBodies[0]);
  /**
   * What the report says: `calls` has two digits to the base of 36 for each operation of a profile, the number of
   * its state; a state begins with the number of its kind, or -1.
   * @type {{
   *   kinds: string[],
   *   profiles: string[],
   *   operations: [name: string, endpoint: string, resource: string][],
   *   states: [kind: number, expected: string, observed: string, evidence: string, answer: string][],
   *   calls: string[],
   * }}
   */
  const data = JSON.parse(byId('data', HTMLElement).textContent ?? '');
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
  const cards = [...document.querySelectorAll('.finding')]
    .filter((element) => element instanceof HTMLElement)
    .map((element) => ({
      element,
      text: (element.textContent ?? '').toLowerCase(),
      kind: element.dataset.kind,
      profile: Number(element.dataset.profile),
    }));
  const rows = [...tableBody('matrix').rows].map((element) => ({
    element,
    name: element.cells[0]?.textContent ?? '',
    quiet: 'quiet' in element.dataset,
  }));
  const search = byId('search', HTMLInputElement);
  const kindSelect = byId('kind', HTMLSelectElement);
  const profileSelect = byId('profile', HTMLSelectElement);
  const filter = byId('filter', HTMLFormElement);
  const groups = [...document.querySelectorAll('.group')].filter((element) => element instanceof HTMLElement);
  const notes = document.getElementById('notes');
  const columns = new CSSStyleSheet();
  document.adoptedStyleSheets = [columns];
  const body = tableBody('calls');
  const more = byId('more', HTMLButtonElement);
  const listed = Number(byId('findings', HTMLElement).dataset.all) > cards.length ? ' listed' : '';
  /** @type {number[]} */
  let found = [];
  let showQuiet = false;

  /** @param {number} count @param {number} all @param {string} one */
  const counted = (count, all, one) => {
    const number =
      count === all
        ? all.toLocaleString('en-US')
        : `${count.toLocaleString('en-US')} of ${all.toLocaleString('en-US')}`;
    return `${number} ${one}${all === 1 ? '' : 's'}`;
  };

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = kindSelect.value;
    const profile = profileSelect.value === '' ? -1 : Number(profileSelect.value);
    /** @param {string} text */
    const fits = (text) => words.every((word) => text.includes(word));

    let shownFindings = 0;
    for (const card of cards) {
      const shown =
        (profile < 0 || card.profile === profile) &&
        (kind === '' || kind === 'any' || card.kind === kind) &&
        fits(card.text);
      card.element.hidden = !shown;
      if (shown) shownFindings++;
    }

    for (const group of groups) group.hidden = !group.querySelector('.finding:not([hidden])');
    if (notes) {
      notes.hidden = !notes.querySelector('.finding:not([hidden])');
      if (notes instanceof HTMLDetailsElement && kind === 'accepted') notes.open = true;
    }

    const kindFits = states.map(
      ([number]) =>
        kind === '' || (kind === 'any' ? number >= 0 : kind === 'none' ? number < 0 : kinds[number] === kind),
    );
    found = [];
    /** @type {Set<string>} */
    const resources = new Set();
    /** @type {Map<string, boolean[]>} */
    const ways = new Map();
    for (let p = 0; p < profiles.length; p++) {
      if (profile >= 0 && p !== profile) continue;
      // Each word may stand in the profile's name or in the operation.
      const left = words.filter((word) => !profileTexts[p]?.includes(word));
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
    if (kind === '')
      found = [
        ...found.filter((call) => states[calls[call]][0] >= 0),
        ...found.filter((call) => states[calls[call]][0] < 0),
      ];

    const filtered = words.length > 0 || kind !== '' || profile >= 0;
    let shownRows = 0;
    for (const row of rows) {
      const shown = filtered ? resources.has(row.name) : showQuiet || !row.quiet;
      row.element.hidden = !shown;
      if (shown) shownRows++;
    }
    columns.replaceSync(
      profile < 0 ? '' : `#matrix tr > :not(:first-child):not(:nth-child(${profile + 2})) { display: none; }`,
    );

    const counts = [
      `Showing ${counted(shownFindings, cards.length, 'finding')}${listed}`,
      counted(shownRows, rows.length, 'resource'),
      counted(found.length, probed, 'call'),
    ];
    byId('count', HTMLElement).textContent = `${counts.join(', ')}.`;
    remember();
    byId('no-findings', HTMLElement).hidden = shownFindings > 0 || cards.length === 0;
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
    more.textContent = `Show ${Math.min(PAGE, rest)} more of ${rest.toLocaleString('en-US')}`;
    return body.rows[from];
  }

  /** @param {number} call */
  function rowOf(call) {
    const row = document.createElement('tr');
    const [name, endpoint, resource] = operations[call % width];
    const [kind, expected, observed, evidence, answer] = states[calls[call]];
    const badge = document.createElement('span');
    badge.textContent = kind < 0 ? 'as expected' : (kinds[kind] ?? '');
    if (kind >= 0) badge.className = `badge ${kinds[kind]}`;
    const operation = document.createElement('th');
    operation.scope = 'row';
    const code = document.createElement('code');
    code.textContent = name;
    const address = document.createElement('span');
    address.className = 'endpoint';
    address.textContent = endpoint;
    operation.append(code, address);
    const cells = Object.entries({
      Profile: profiles[Math.floor(call / width)],
      Resource: resource,
      Expected: expected,
      Observed: observed,
      Evidence: evidence,
      Answer: answer,
    }).map(([label, text]) => {
      const cell = document.createElement('td');
      cell.dataset.label = label;
      cell.textContent = text ?? '';
      return cell;
    });
    const first = document.createElement('td');
    first.append(badge);
    row.append(operation, first, ...cells);
    return row;
  }

  /** What is filtered stands behind `#!`, so that a link leads back to it; `#f-…` is a finding. */
  function remember() {
    const state = new URLSearchParams();
    if (search.value) state.set('q', search.value);
    if (kindSelect.value) state.set('kind', kindSelect.value);
    if (profileSelect.value) state.set('profile', profiles[Number(profileSelect.value)] ?? '');
    const text = state.toString();
    if (text === '' && !location.hash.startsWith('#!')) return;
    history.replaceState(null, '', text === '' ? '#' : `#!${text}`);
  }

  /** Follows a link into the page: to a filter, or to a finding that lies folded. */
  function follow() {
    if (!location.hash.startsWith('#!')) {
      const target = location.hash === '' ? null : document.getElementById(location.hash.slice(1));
      const folded = target?.closest('details');
      if (folded) folded.open = true;
      target?.scrollIntoView();
      return;
    }
    const state = new URLSearchParams(location.hash.slice(2));
    const profile = profiles.indexOf(state.get('profile') ?? '');
    search.value = state.get('q') ?? '';
    kindSelect.value = state.get('kind') ?? '';
    profileSelect.value = profile < 0 ? '' : String(profile);
    if (kindSelect.selectedIndex < 0) kindSelect.value = '';
    apply();
  }

  /** @param {string} text */
  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Where the page has no clipboard, an older way has.
      const area = document.createElement('textarea');
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
  }

  for (const button of document.querySelectorAll('button[data-copy]')) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await copyText(button.parentElement?.querySelector('code, pre')?.textContent ?? '');
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 1500);
    });
  }

  filter.hidden = false;
  byId('no-script', HTMLElement).hidden = true;
  byId('calls-scroll', HTMLElement).hidden = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 80);
  });
  kindSelect.addEventListener('change', apply);
  profileSelect.addEventListener('change', apply);
  filter.addEventListener('submit', (event) => event.preventDefault());
  filter.addEventListener('reset', () => setTimeout(apply));
  more.addEventListener('click', () => {
    const row = showMore();
    if (row) {
      row.tabIndex = -1;
      row.focus();
    }
  });
  const quiet = byId('quiet', HTMLButtonElement);
  quiet.hidden = !rows.some((row) => row.quiet);
  quiet.addEventListener('click', () => {
    showQuiet = !showQuiet;
    quiet.setAttribute('aria-pressed', String(showQuiet));
    apply();
  });
  addEventListener('hashchange', follow);
  if (!location.hash.startsWith('#!')) apply();
  follow();
})();
