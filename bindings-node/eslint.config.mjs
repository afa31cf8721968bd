// What ESLint checks: the package by its types, and the tests as plain JavaScript.
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const GLOBALS = ['process', 'console', 'performance', 'structuredClone', 'globalThis', 'Buffer'];
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval'];
const WEB = ['AbortController', 'AbortSignal', 'Blob', 'FormData', 'URL', 'URLSearchParams'];
const STREAMS = ['ReadableStream', 'WritableStream', 'TextEncoder', 'TextDecoder'];
const COMMONJS = ['require', 'module', 'exports', '__dirname', '__filename'];

const named = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

export default defineConfig(
  { ignores: ['dist', 'node_modules', 'test/types'] },
  {
    files: ['lib/**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers in messages are what is meant.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['**/*.js'],
    extends: [js.configs.recommended],
    languageOptions: {
      sourceType: 'commonjs',
      globals: named([...GLOBALS, ...TIMERS, ...WEB, ...STREAMS, ...COMMONJS]),
    },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
  },
  {
    files: ['**/*.mjs'],
    extends: [js.configs.recommended],
    languageOptions: { globals: named([...GLOBALS, ...TIMERS, ...WEB]) },
    rules: { 'no-unused-vars': ['error', { varsIgnorePattern: '^_' }] },
  },
);
