import { type ImportFormat, importEntries, importLines, listIn, objectOf, partsOf } from './import-format.ts';
import { isToolOfStripe, operationsOfTool, toolsIn } from './mcp-tools.ts';

/** In place of the name of a tool that nobody knows. */
const OTHER_TOOL = '(other)';

const LISTED = /^\s*(?:(?:get|post|delete)\s+\S*\/v[12]\/|[a-z_\d]+(?:\.[a-z_\d]+)+\s*(?:#|$))/i;

/** Calls as people write them: `GET /v1/charges`, or an operation's name, one a line; `#` begins a comment. */
export const list: ImportFormat = {
  description: 'a list of calls, one a line',
  recognises: (text) => text.split('\n').some((line) => LISTED.test(line)),
  read: (text, { catalog }) =>
    importLines(text, ['A list tells neither how often a call is made nor how it is answered.'], (line) => {
      const bare = line.replace(/(^|\s)#.*$/, '').trim();
      if (bare === '') return undefined;
      const [call = '', query = ''] = bare.split('?', 2);
      const operation = catalog.find(call);
      if (operation === undefined) return 'no call that the catalog knows';
      const { method, path } = operation;
      return { method, ...partsOf(`${path}?${query}`), status: 200 };
    }),
};

/** The answer of an MCP server's `tools/list`, of Stripe's server or toolkit. */
export const mcpTools: ImportFormat = {
  description: "the answer of an MCP server's tools/list",
  recognises: (text) => toolsIn(text).length > 0 || listIn(objectOf(text)?.result, 'tools').length > 0,
  read: (text, { catalog }) => {
    const tools = toolsIn(text).map((tool, index) => {
      const calls = operationsOfTool(tool);
      // A name that is none of Stripe's could be anything.
      return { line: index + 1, tool: isToolOfStripe(tool) ? tool : OTHER_TOOL, calls };
    });
    const names = tools.flatMap(({ calls }) => (typeof calls === 'string' ? [] : calls));
    return {
      ...importEntries(
        names.flatMap((name) => catalog.operation(name) ?? []),
        ['Tools are offered, not called: how often each is called is not known.'],
        ({ method, path }) => ({ method, path, status: 200 }),
      ),
      tools: tools.map(({ tool, calls }) => ({ tool, calls })),
      unread: tools.flatMap(({ line, calls }) => (typeof calls === 'string' ? [{ line, why: calls }] : [])),
    };
  },
};
