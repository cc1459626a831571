/* Sends messages to an address and receives them from it on one connection, with accept on both sides.
   transfer HOST PORT VIRTUAL-HOST USER PASSWORD ADDRESS COUNT FRAME-BYTES */

#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/message.h>
#include <proton/netaddr.h>
#include <proton/proactor.h>
#include <proton/sasl.h>
#include <proton/session.h>
#include <proton/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CREDIT_WINDOW = 500, BODY_BYTES = 256 };

static struct {
  const char *address;
  long total, sent, accepted, received;
  pn_rwbytes_t encoded, incoming;
  size_t incoming_size;
  int failed;
} app;

static void fail(pn_connection_t *connection, const char *what, pn_condition_t *condition) {
  const char *name = condition ? pn_condition_get_name(condition) : NULL;
  const char *text = condition ? pn_condition_get_description(condition) : NULL;
  if (!app.failed) fprintf(stderr, "%s: %s %s\n", what, name ? name : "", text ? text : "");
  app.failed = 1;
  if (connection) pn_connection_close(connection);
}

/* A message whose body is its number, in a data section. */
static void send_next(pn_link_t *sender) {
  char body[BODY_BYTES] = {0};
  snprintf(body, sizeof body, "%ld", app.sent);
  pn_message_t *message = pn_message();
  pn_message_set_durable(message, true);
  pn_message_set_inferred(message, true);
  pn_data_put_binary(pn_message_body(message), pn_bytes(sizeof body, body));
  pn_delivery(sender, pn_dtag((const char *)&app.sent, sizeof app.sent));
  ssize_t size = pn_message_encode2(message, &app.encoded);
  if (size > 0) pn_link_send(sender, app.encoded.start, size);
  pn_link_advance(sender);
  pn_message_free(message);
  app.sent++;
}

static void finish_when_done(pn_link_t *link) {
  if (app.accepted == app.total && app.received == app.total) pn_connection_close(pn_session_connection(pn_link_session(link)));
}

static void on_outcome(pn_connection_t *connection, pn_delivery_t *delivery) {
  if (!pn_delivery_updated(delivery)) return;
  uint64_t state = pn_delivery_remote_state(delivery);
  pn_link_t *link = pn_delivery_link(delivery);
  if (state != PN_ACCEPTED) return fail(connection, "outcome other than accepted", NULL);
  pn_delivery_settle(delivery);
  app.accepted++;
  finish_when_done(link);
}

static void on_message(pn_connection_t *connection, pn_delivery_t *delivery) {
  pn_link_t *link = pn_delivery_link(delivery);
  size_t pending = pn_delivery_pending(delivery);
  if (app.incoming_size + pending > app.incoming.size) {
    app.incoming.size = (app.incoming_size + pending) * 2;
    app.incoming.start = realloc(app.incoming.start, app.incoming.size);
  }
  ssize_t read = pn_link_recv(link, app.incoming.start + app.incoming_size, pending);
  if (read > 0) app.incoming_size += read;
  if (pn_delivery_partial(delivery)) return;

  pn_message_t *message = pn_message();
  pn_data_t *body = pn_message_body(message);
  int error = pn_message_decode(message, app.incoming.start, app.incoming_size);
  app.incoming_size = 0;
  pn_data_next(body);
  pn_bytes_t bytes = pn_data_get_binary(body);
  int in_order = !error && bytes.size == BODY_BYTES && atol(bytes.start) == app.received;
  pn_message_free(message);
  if (!in_order) return fail(connection, "a message out of order or unreadable", NULL);

  pn_delivery_update(delivery, PN_ACCEPTED);
  pn_delivery_settle(delivery);
  app.received++;
  pn_link_flow(link, CREDIT_WINDOW - pn_link_credit(link));
  finish_when_done(link);
}

static void open_links(pn_connection_t *connection) {
  pn_session_t *session = pn_session(connection);
  pn_session_open(session);
  pn_link_t *sender = pn_sender(session, "transfer-sender");
  pn_terminus_set_address(pn_link_target(sender), app.address);
  pn_link_set_snd_settle_mode(sender, PN_SND_UNSETTLED);
  pn_link_open(sender);
  pn_link_t *receiver = pn_receiver(session, "transfer-receiver");
  pn_terminus_set_address(pn_link_source(receiver), app.address);
  pn_link_open(receiver);
  pn_link_flow(receiver, CREDIT_WINDOW);
}

/* False when the connection has ended. */
static bool handle(pn_event_t *event) {
  pn_connection_t *connection = pn_event_connection(event);
  pn_link_t *link = pn_event_link(event);
  pn_delivery_t *delivery = pn_event_delivery(event);
  switch (pn_event_type(event)) {
    case PN_CONNECTION_INIT:
      pn_connection_set_container(connection, "interop.proton-c");
      pn_connection_open(connection);
      open_links(connection);
      break;
    case PN_LINK_FLOW:
      while (pn_link_is_sender(link) && pn_link_credit(link) > 0 && app.sent < app.total) send_next(link);
      break;
    case PN_DELIVERY:
      if (pn_link_is_sender(link)) on_outcome(connection, delivery);
      else if (pn_delivery_readable(delivery)) on_message(connection, delivery);
      break;
    case PN_LINK_REMOTE_CLOSE:
    case PN_LINK_REMOTE_DETACH:
      fail(connection, "link closed", pn_link_remote_condition(link));
      break;
    case PN_SESSION_REMOTE_CLOSE:
      if (pn_condition_is_set(pn_session_remote_condition(pn_event_session(event))))
        fail(connection, "session ended", pn_session_remote_condition(pn_event_session(event)));
      break;
    case PN_CONNECTION_REMOTE_CLOSE:
      if (pn_condition_is_set(pn_connection_remote_condition(connection)))
        fail(connection, "connection closed", pn_connection_remote_condition(connection));
      pn_connection_close(connection);
      break;
    case PN_TRANSPORT_CLOSED: {
      pn_condition_t *condition = pn_transport_condition(pn_event_transport(event));
      if (pn_condition_is_set(condition)) fail(NULL, "transport closed", condition);
      break;
    }
    case PN_PROACTOR_INACTIVE:
      return false;
    default:
      break;
  }
  return true;
}

int main(int count, char **arguments) {
  if (count != 9) {
    fprintf(stderr, "usage: transfer HOST PORT VIRTUAL-HOST USER PASSWORD ADDRESS COUNT FRAME-BYTES\n");
    return 2;
  }
  app.address = arguments[6];
  app.total = atol(arguments[7]);

  pn_connection_t *connection = pn_connection();
  pn_connection_set_user(connection, arguments[4]);
  pn_connection_set_password(connection, arguments[5]);
  if (strcmp(arguments[3], "/") != 0) {
    char hostname[256];
    snprintf(hostname, sizeof hostname, "vhost:%s", arguments[3]);
    pn_connection_set_hostname(connection, hostname);
  }
  pn_transport_t *transport = pn_transport();
  pn_transport_set_max_frame(transport, atol(arguments[8]));
  pn_sasl_set_allow_insecure_mechs(pn_sasl(transport), true);
  pn_sasl_allowed_mechs(pn_sasl(transport), "PLAIN");

  char address[PN_MAX_ADDR];
  pn_proactor_addr(address, sizeof address, arguments[1], arguments[2]);
  pn_proactor_t *proactor = pn_proactor();
  pn_proactor_connect2(proactor, connection, transport, address);
  for (bool running = true; running;) {
    pn_event_batch_t *batch = pn_proactor_wait(proactor);
    for (pn_event_t *event; (event = pn_event_batch_next(batch));) running = handle(event) && running;
    pn_proactor_done(proactor, batch);
  }
  pn_proactor_free(proactor);
  free(app.encoded.start);
  free(app.incoming.start);
  if (!app.failed && (app.accepted != app.total || app.received != app.total)) fail(NULL, "the connection ended too early", NULL);
  printf("%ld sent, %ld accepted, %ld received\n", app.sent, app.accepted, app.received);
  return app.failed;
}
