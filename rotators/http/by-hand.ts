import { type ByHand, type HandStep, known, placeholder, store } from '../families/by-hand.ts';
import type { Authentication, Recipe, RecipeRequest } from './recipe.ts';
import { recipes } from './recipes/index.ts';
import { variablesOf } from './template.ts';

type Json = Recipe['create']['json'];

/** Puts placeholders, and the host where it is known, in the place of a template's names. */
function shown(template: string, host: string): string {
  return variablesOf(template).reduce(
    (text, name) => text.replaceAll(`{{${name}}}`, () => (name === 'host' ? host : placeholder(name))),
    template,
  );
}

/** Writes the header fields that authenticate a request. */
function authenticationLines(authentication: Authentication, host: string): readonly string[] {
  switch (authentication.kind) {
    case 'bearer':
      return [`Authorization: Bearer ${shown(authentication.token, host)}`];
    case 'basic':
      return [
        `Authorization: Basic ${placeholder(`base64 of ${variablesOf(authentication.username).join('')}:${variablesOf(authentication.password).join('')}`)}`,
      ];
    case 'headers':
    case 'login':
      return Object.entries(authentication.headers).map(([name, value]) => `${name}: ${shown(value, host)}`);
    case 'oauth2':
      return [`Authorization: Bearer ${placeholder('access token')}`];
  }
}

/** Writes a request as HTTP does, a line each. */
function lines(
  { method, url, headers, json, form }: Omit<RecipeRequest, 'json'> & { readonly json?: Json },
  authentication: readonly string[],
  host: string,
): readonly string[] {
  const body =
    json === undefined
      ? form &&
        Object.entries(form)
          .map(([key, value]) => `${key}=${shown(value, host)}`)
          .join('&')
      : shown(JSON.stringify(json), host);
  const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  return [
    `${method} ${shown(url, host)}`,
    ...authentication,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${shown(value, host)}`),
    ...(body === undefined ? [] : [`Content-Type: ${type}`, '', body]),
  ];
}

/** Writes the login that comes before, where requests carry a token of it. */
function loginSteps(authentication: Authentication, host: string): readonly HandStep[] {
  if (authentication.kind === 'login') {
    const { url, json } = authentication;
    const request = { method: 'POST', url, headers: {}, json } as const;
    return [{ aim: 'log in', in: 'http', lines: lines(request, [], host) }];
  }
  if (authentication.kind !== 'oauth2') return [];
  const { url, form, clientId, clientSecret, sendAs } = authentication;
  const inForm = sendAs === 'form' ? { client_id: clientId, client_secret: clientSecret } : {};
  const basic = { kind: 'basic', username: clientId, password: clientSecret } as const;
  return [
    {
      aim: 'log in',
      in: 'http',
      lines: lines(
        { method: 'POST', url, headers: {}, form: { grant_type: 'client_credentials', ...inForm, ...form } },
        sendAs === 'basic' ? authenticationLines(basic, host) : [],
        host,
      ),
    },
  ];
}

/** Writes the requests of the secret's recipe: the same that {@link contain} sends. */
export const byHand: ByHand = (target) => {
  const name = known(target.fields, 'recipe');
  const recipe = recipes.get(name);
  if (recipe === undefined) {
    return {
      steps: [],
      notes: [
        `Which service it is stands in the secret, under "recipe". Give --recipe with one of ${recipes.names.join(', ')}, or revoke the credential in the console of the service.`,
      ],
    };
  }
  const host = known(target.fields, 'host');
  const { admin, credential, list, disable, revoke, create, test } = recipe;
  const by = authenticationLines(admin.authentication, host);
  const { id, secret } = credential;
  const answer = Object.entries(create.answer).map(([key, at]) => `${key} from ${at}`);
  return {
    steps: [
      ...loginSteps(admin.authentication, host),
      ...(list === undefined
        ? []
        : [
            {
              aim: 'find',
              in: 'http',
              lines: lines(list, by, host),
              note: `The id is in the secret, too, under "${id}".`,
            } as const,
          ]),
      ...(disable === undefined
        ? []
        : [{ aim: 'refuse logins', in: 'http', lines: lines(disable, by, host) } as const]),
      {
        aim: 'refuse logins',
        in: 'http',
        lines: lines(revoke, by, host),
        note:
          disable === undefined
            ? `${recipe.revocation}.`
            : `For good, and only when nobody wants it back. ${recipe.revocation}.`,
      },
      {
        aim: 'set a new credential',
        in: 'http',
        lines: lines(create, by, host),
        note: `The answer has what goes into the secret: ${answer.join(', ')}.`,
      },
      {
        ...store(target, `.${id} = ${JSON.stringify(placeholder(id))} | .${secret} = env.NEW`),
        note: `Read the new value with IFS= read -rs NEW && export NEW, alone in its line, before.`,
      },
      {
        aim: 'see it refused',
        in: 'http',
        lines: lines(
          test,
          test.authentication === undefined ? [] : authenticationLines(test.authentication, host),
          host,
        ),
        note: `With the ${secret} that leaked.`,
      },
    ],
    notes: [
      `The admin's credential needs: ${admin.permission}.`,
      `The service's own pages: ${recipe.documentation.join(', ')}`,
    ],
  };
};
