// The rules of the page's code. `make check-ui` runs this over ui/ and tests/ui/.
import js from "@eslint/js";
import globals from "globals";

const html = ["innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML", "srcdoc"];
const why = "texts are drawn by React, so that no data becomes HTML";

const rules = {
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "no-restricted-properties": [
    "error",
    ...html.map((property) => ({ property, message: why })),
    { object: "document", property: "write", message: why },
  ],
  "no-restricted-syntax": [
    "error",
    { selector: "Property[key.name='dangerouslySetInnerHTML']", message: why },
    {
      selector: "CallExpression[callee.name='setInterval']",
      message: "polling waits for its answer, and stops while hidden",
    },
  ],
  "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "event", "name", "alert", "confirm"],
  complexity: ["error", 12],
  eqeqeq: ["error", "always"],
  "max-depth": ["error", 3],
  "max-lines": ["error", 300],
  "max-lines-per-function": ["error", 60],
  "max-params": ["error", 5],
  "no-console": ["error", { allow: ["warn"] }],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-shadow": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "max-len": ["error", { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true }],
};

export default [
  { ignores: ["**/node_modules/**"] },
  js.configs.recommended,
  { rules, languageOptions: { ecmaVersion: 2023, sourceType: "module" } },
  { files: ["**/ui/page/**/*.js"], languageOptions: { globals: globals.browser } },
  // One script in a function of its own, which Stash joins with those of other plugins.
  {
    files: ["**/ui/main.js"],
    languageOptions: { sourceType: "script", globals: globals.browser },
    rules: { "max-lines": "off", "max-lines-per-function": ["error", { max: 60, IIFEs: false }] },
  },
  { files: ["**/*.mjs"], languageOptions: { globals: globals.node }, rules: { "max-lines-per-function": "off" } },
];
