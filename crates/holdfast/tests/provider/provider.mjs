// A provider of OpenID Connect by others (oidc-provider), which believes whoever comes: they are who `ACCOUNT` says.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { PORT, ACCOUNT, BACK } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "holdfast", client_secret: "s&cret of ours", redirect_uris: [BACK], response_types: ["code"], grant_types: ["authorization_code"] }],
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email"] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
  cookies: { keys: ["a key of the test"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: "Żółw", email: "z@example.org" }) }),
  // Nobody is asked what the service may know of them.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});
const callback = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith("/login/")) return callback(request, response);
  const result = ACCOUNT === "nobody" ? { error: "access_denied" } : { login: { accountId: ACCOUNT } };
  provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}).listen(Number(PORT), "127.0.0.1");
