// A real authorization server that nobody here wrote: `oidc-provider`, which agrees to everything in the place of its user. It has no exchange of tokens
// (RFC 8693) of its own: that grant is registered here, on its own tokens.
//
//   node authorization_server.mjs
//
// It writes its address, and ends when its standard input does.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages lie where they were installed, which is not beside this file.
const require = createRequire(`${process.env.NODE_PACKAGES}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

// Tokens for `.../jwt` are signed, those for any other resource can be introspected.
const resourceServer = (_, resource) => ({
  audience: resource, scope: "read write", accessTokenTTL: 3600, accessTokenFormat: resource.endsWith("/jwt") ? "jwt" : "opaque",
});

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clientDefaults: { token_endpoint_auth_method: "none", grant_types: ["authorization_code", "refresh_token"] },
    clients: [{
      client_id: "deployment", client_secret: "deployment-secret-0123456789", token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["client_credentials", EXCHANGE], response_types: [], redirect_uris: [],
    }],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      deviceFlow: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: resourceServer,
        useGrantedResource: () => true,
      },
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    scopes: ["openid", "offline_access", "read", "write"],
    interactions: { url: (_, interaction) => `/agree/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });
  provider.registerGrantType(EXCHANGE, async (ctx) => {
    const { subject_token, resource } = ctx.oidc.params;
    const subject = await provider.AccessToken.find(subject_token);
    if (!subject?.isValid) {
      ctx.status = 400;
      ctx.body = { error: "invalid_grant" };
      return;
    }
    const token = new provider.AccessToken({ accountId: subject.accountId, client: ctx.oidc.client, gty: "token_exchange", scope: "read" });
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(ctx, resource));
    ctx.body = {
      access_token: await token.save(), issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer",
      expires_in: token.expiration, scope: token.scope,
    };
  }, ["subject_token", "subject_token_type", "requested_token_type", "resource", "audience", "scope"]);
  const callback = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/agree/")) return callback(request, response);
    try {
      const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
      if (prompt.name === "login") {
        return await provider.interactionFinished(request, response, { login: { accountId: "ada" } }, { mergeWithLastSubmission: false });
      }
      const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(" "));
      for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(" "));
      await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  console.log(issuer);
});

process.stdin.on("end", () => process.exit(0)).resume();
